/* Which protocol a connection speaks. */
#include "io_thread/protocol.h"

#include "base/assert.h"
#include "io_thread/tls.h"
#include "weft/config.h"

#include <string.h>

const char *wf_protocol_name(enum wf_protocol_id id)
{
    switch (id) {
    case WF_PROTOCOL_NONE:
        return NULL;
    case WF_PROTOCOL_H2:
        return wf_protocol_h2.name;
    case WF_PROTOCOL_H1:
        return wf_protocol_h1.name;
    }
    WF_UNREACHABLE("no other protocol");
}

const char *wf_protocol_alpn(const struct weft_config *config, bool http1_only)
{
    if (http1_only)
        return wf_protocol_h1.name;
    switch (config->versions) {
    case WEFT_HTTP_AUTO:
        return WF_TLS_ALPN_DEFAULT;
    case WEFT_HTTP_1_1:
        return wf_protocol_h1.name;
    case WEFT_HTTP_2:
        return wf_protocol_h2.name;
    }
    WF_UNREACHABLE("no other versions");
}

const struct wf_protocol_ops *wf_protocol_expected(const struct weft_config *config, bool https)
{
    switch (config->versions) {
    case WEFT_HTTP_AUTO:
        if (https)
            return NULL;
        return config->http2_prior_knowledge ? &wf_protocol_h2 : &wf_protocol_h1;
    case WEFT_HTTP_1_1:
        return &wf_protocol_h1;
    case WEFT_HTTP_2:
        return &wf_protocol_h2;
    }
    WF_UNREACHABLE("no other versions");
}

const struct wf_protocol_ops *wf_protocol_choose(const struct weft_config *config, bool https,
                                                 const char *alpn)
{
    if (!https)
        return wf_protocol_expected(config, false);
    /* RFC 9113 section 3.3: over TLS HTTP/2 is spoken where ALPN says so, and nowhere else. */
    if (alpn != NULL && strcmp(alpn, wf_protocol_h2.name) == 0)
        return config->versions == WEFT_HTTP_1_1 ? NULL : &wf_protocol_h2;
    bool is_http1 = alpn == NULL || strcmp(alpn, "http/1.1") == 0;
    return is_http1 && config->versions != WEFT_HTTP_2 ? &wf_protocol_h1 : NULL;
}
