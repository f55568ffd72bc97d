/* Arbitrary octets as the responses of an HTTP/1.1 server. The input is an octet that sets the run
 * up, two that say how it is split, and what the server sends. Whole, octet by octet and split at
 * random it must lead to the same events; what they say must be legal. */
#include "fuzz.h"

#include "support/h1_player.h"

#include <string.h>

static const char *const scripts[] = {"GGGG", "HGHG", "PG", "GPG", "", "HHHHHHHH", "GH", "G"};

static struct wf_h1_config config_of(uint8_t setup)
{
    struct wf_h1_config config = WF_H1_CONFIG_INIT;
    if ((setup & 8) != 0)
        return config;
    config.max_header_list_size = 400;
    config.max_fields = 6;
    config.max_head_len = 500;
    config.max_informational = 3;
    config.max_extensions = 30;
    return config;
}

static void start(struct h1_player *player, uint8_t setup)
{
    struct wf_h1_config config = config_of(setup);
    FUZZ_CHECK(h1_player_init(player, &config, scripts[setup & 7]));
}

static void end(struct h1_player *player, uint8_t setup)
{
    if ((setup & 16) != 0)
        h1_player_end(player, (setup & 32) != 0);
    FUZZ_CHECK(player->failed == (player->error.reason != NULL));
    if (player->failed)
        FUZZ_CHECK(wf_h1_session_is_dead(player->session));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    uint8_t setup = data[0];
    struct wf_slice wire = wf_slice(data + 3, size - 3);
    struct choice choice = choice_random(1 + data[1] + 256u * data[2]);
    struct h1_player players[3];
    for (size_t i = 0; i < 3; i++)
        start(&players[i], setup);
    h1_player_feed(&players[0], wire, 0);
    h1_player_feed(&players[1], wire, 1);
    h1_player_feed_random(&players[2], wire, &choice);
    for (size_t i = 0; i < 3; i++)
        end(&players[i], setup);
    const char *whole = h1_player_text(&players[0]);
    for (size_t i = 1; i < 3; i++) {
        const char *split = h1_player_text(&players[i]);
        FUZZ_CHECK(wf_buf_len(&players[0].log) == wf_buf_len(&players[i].log));
        FUZZ_CHECK(memcmp(whole, split, wf_buf_len(&players[0].log)) == 0);
    }
    for (size_t i = 0; i < 3; i++)
        h1_player_fini(&players[i]);
    return 0;
}
