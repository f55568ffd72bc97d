#include "reply.h"

#include <stdio.h>
#include <time.h>

static struct wf_field field(const char *name, struct wf_slice value)
{
    return (struct wf_field){.name = wf_slice_str(name), .value = value};
}

void serve_replies_set_time(struct serve_replies *replies, uint64_t second)
{
    if (second == replies->second)
        return;
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = (time_t)second;
    struct tm tm;
    char text[64];
    if (gmtime_r(&now, &tm) == NULL)
        return;
    int len = snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
                       tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                       tm.tm_sec);
    if (len != (int)SERVE_DATE_LEN)
        return;
    memcpy(replies->date, text, SERVE_DATE_LEN + 1);
    replies->second = second;
}

void serve_replies_init(struct serve_replies *replies, uint64_t second)
{
    *replies = (struct serve_replies){.date = "Thu, 01 Jan 1970 00:00:00 GMT"};
    serve_replies_set_time(replies, second);
}

static bool spec_equal(const struct serve_spec *a, const struct serve_spec *b)
{
    return a->status == b->status && a->type == b->type && a->length == b->length &&
           a->allow == b->allow;
}

static void prepare(struct serve_replies *replies, struct serve_reply *reply,
                    const struct serve_spec *spec)
{
    size_t n = 0;
    reply->spec = *spec;
    reply->second = replies->second;
    reply->key = ++replies->last_key;
    (void)snprintf(reply->status, sizeof(reply->status), "%u", spec->status % 1000u);
    reply->fields[n++] = field(":status", wf_slice_str(reply->status));
    reply->fields[n++] = field("server", wf_slice_str("weft-serve"));
    reply->fields[n++] = field("date", wf_slice(replies->date, SERVE_DATE_LEN));
    if (spec->type != SERVE_TYPE_NONE)
        reply->fields[n++] = field("content-type", wf_slice_str(spec->type == SERVE_TYPE_TEXT
                                                                    ? "text/plain"
                                                                    : "application/octet-stream"));
    if (spec->length != SERVE_LENGTH_UNKNOWN) {
        (void)snprintf(reply->length, sizeof(reply->length), "%lld", (long long)spec->length);
        reply->fields[n++] = field("content-length", wf_slice_str(reply->length));
    }
    if (spec->allow != NULL)
        reply->fields[n++] = field("allow", wf_slice_str(spec->allow));
    reply->count = n;
}

const struct serve_reply *serve_replies_get(struct serve_replies *replies,
                                            const struct serve_spec *spec)
{
    uint64_t place =
        (uint64_t)spec->length * 31 + (uint64_t)spec->status * 7 + (uint64_t)spec->type;
    struct serve_reply *reply = &replies->table[(place ^ place >> 6) % SERVE_REPLIES];
    if (reply->key == 0 || reply->second != replies->second || !spec_equal(&reply->spec, spec))
        prepare(replies, reply, spec);
    return reply;
}
