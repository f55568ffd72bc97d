#include "h2/stream.h"

/* clang-format off */
#define TO(state)     {(state), WF_H2_SCOPE_NONE, WF_H2_NO_ERROR}
#define OURS          {0, WF_H2_SCOPE_CONNECTION, WF_H2_INTERNAL_ERROR}
#define PROTOCOL      {0, WF_H2_SCOPE_CONNECTION, WF_H2_PROTOCOL_ERROR}
#define STREAM_CLOSED {0, WF_H2_SCOPE_STREAM, WF_H2_STREAM_CLOSED}
#define CONN_CLOSED   {0, WF_H2_SCOPE_CONNECTION, WF_H2_STREAM_CLOSED}
#define IDLE          TO(WF_H2_IDLE)
#define RESERVED_L    TO(WF_H2_RESERVED_LOCAL)
#define RESERVED_R    TO(WF_H2_RESERVED_REMOTE)
#define OPEN          TO(WF_H2_OPEN)
#define HALF_CLOSED_L TO(WF_H2_HALF_CLOSED_LOCAL)
#define HALF_CLOSED_R TO(WF_H2_HALF_CLOSED_REMOTE)
#define CLOSED        TO(WF_H2_CLOSED)
/* clang-format on */

/* RFC 9113 section 5.1, one block for each state of its figure 2. Where the text names no error for
 * a frame that a state does not permit, it is a connection error of type PROTOCOL_ERROR.
 * The row `closed` is for streams that the peer ended itself; the session does not ask the table
 * about those that we reset, whose frames may have crossed our RST_STREAM and are dropped. */
const struct wf_h2_stream_move wf_h2_stream_moves[WF_H2_STREAM_STATES][16] = {
    [WF_H2_IDLE] = {[WF_H2_SEND_PUSH_PROMISE] = RESERVED_L,
                    [WF_H2_SEND_HEADERS] = OPEN,
                    [WF_H2_SEND_DATA] = OURS,
                    [WF_H2_SEND_END_STREAM] = OURS,
                    [WF_H2_SEND_RST_STREAM] = OURS,
                    [WF_H2_SEND_WINDOW_UPDATE] = OURS,
                    [WF_H2_SEND_PRIORITY] = IDLE,
                    [WF_H2_RECV_PUSH_PROMISE] = RESERVED_R,
                    [WF_H2_RECV_HEADERS] = OPEN,
                    [WF_H2_RECV_DATA] = PROTOCOL,
                    [WF_H2_RECV_END_STREAM] = PROTOCOL,
                    [WF_H2_RECV_RST_STREAM] = PROTOCOL,
                    [WF_H2_RECV_WINDOW_UPDATE] = PROTOCOL,
                    [WF_H2_RECV_PRIORITY] = IDLE},
    [WF_H2_RESERVED_LOCAL] = {[WF_H2_SEND_PUSH_PROMISE] = OURS,
                              [WF_H2_SEND_HEADERS] = HALF_CLOSED_R,
                              [WF_H2_SEND_DATA] = OURS,
                              [WF_H2_SEND_END_STREAM] = OURS,
                              [WF_H2_SEND_RST_STREAM] = CLOSED,
                              [WF_H2_SEND_WINDOW_UPDATE] = OURS,
                              [WF_H2_SEND_PRIORITY] = RESERVED_L,
                              [WF_H2_RECV_PUSH_PROMISE] = PROTOCOL,
                              [WF_H2_RECV_HEADERS] = PROTOCOL,
                              [WF_H2_RECV_DATA] = PROTOCOL,
                              [WF_H2_RECV_END_STREAM] = PROTOCOL,
                              [WF_H2_RECV_RST_STREAM] = CLOSED,
                              [WF_H2_RECV_WINDOW_UPDATE] = RESERVED_L,
                              [WF_H2_RECV_PRIORITY] = RESERVED_L},
    [WF_H2_RESERVED_REMOTE] = {[WF_H2_SEND_PUSH_PROMISE] = OURS,
                               [WF_H2_SEND_HEADERS] = OURS,
                               [WF_H2_SEND_DATA] = OURS,
                               [WF_H2_SEND_END_STREAM] = OURS,
                               [WF_H2_SEND_RST_STREAM] = CLOSED,
                               [WF_H2_SEND_WINDOW_UPDATE] = RESERVED_R,
                               [WF_H2_SEND_PRIORITY] = RESERVED_R,
                               [WF_H2_RECV_PUSH_PROMISE] = PROTOCOL,
                               [WF_H2_RECV_HEADERS] = HALF_CLOSED_L,
                               [WF_H2_RECV_DATA] = PROTOCOL,
                               [WF_H2_RECV_END_STREAM] = PROTOCOL,
                               [WF_H2_RECV_RST_STREAM] = CLOSED,
                               [WF_H2_RECV_WINDOW_UPDATE] = PROTOCOL,
                               [WF_H2_RECV_PRIORITY] = RESERVED_R},
    [WF_H2_OPEN] = {[WF_H2_SEND_PUSH_PROMISE] = OURS,
                    [WF_H2_SEND_HEADERS] = OPEN,
                    [WF_H2_SEND_DATA] = OPEN,
                    [WF_H2_SEND_END_STREAM] = HALF_CLOSED_L,
                    [WF_H2_SEND_RST_STREAM] = CLOSED,
                    [WF_H2_SEND_WINDOW_UPDATE] = OPEN,
                    [WF_H2_SEND_PRIORITY] = OPEN,
                    [WF_H2_RECV_PUSH_PROMISE] = PROTOCOL,
                    [WF_H2_RECV_HEADERS] = OPEN,
                    [WF_H2_RECV_DATA] = OPEN,
                    [WF_H2_RECV_END_STREAM] = HALF_CLOSED_R,
                    [WF_H2_RECV_RST_STREAM] = CLOSED,
                    [WF_H2_RECV_WINDOW_UPDATE] = OPEN,
                    [WF_H2_RECV_PRIORITY] = OPEN},
    [WF_H2_HALF_CLOSED_LOCAL] = {[WF_H2_SEND_PUSH_PROMISE] = OURS,
                                 [WF_H2_SEND_HEADERS] = OURS,
                                 [WF_H2_SEND_DATA] = OURS,
                                 [WF_H2_SEND_END_STREAM] = OURS,
                                 [WF_H2_SEND_RST_STREAM] = CLOSED,
                                 [WF_H2_SEND_WINDOW_UPDATE] = HALF_CLOSED_L,
                                 [WF_H2_SEND_PRIORITY] = HALF_CLOSED_L,
                                 [WF_H2_RECV_PUSH_PROMISE] = PROTOCOL,
                                 [WF_H2_RECV_HEADERS] = HALF_CLOSED_L,
                                 [WF_H2_RECV_DATA] = HALF_CLOSED_L,
                                 [WF_H2_RECV_END_STREAM] = CLOSED,
                                 [WF_H2_RECV_RST_STREAM] = CLOSED,
                                 [WF_H2_RECV_WINDOW_UPDATE] = HALF_CLOSED_L,
                                 [WF_H2_RECV_PRIORITY] = HALF_CLOSED_L},
    [WF_H2_HALF_CLOSED_REMOTE] = {[WF_H2_SEND_PUSH_PROMISE] = OURS,
                                  [WF_H2_SEND_HEADERS] = HALF_CLOSED_R,
                                  [WF_H2_SEND_DATA] = HALF_CLOSED_R,
                                  [WF_H2_SEND_END_STREAM] = CLOSED,
                                  [WF_H2_SEND_RST_STREAM] = CLOSED,
                                  [WF_H2_SEND_WINDOW_UPDATE] = HALF_CLOSED_R,
                                  [WF_H2_SEND_PRIORITY] = HALF_CLOSED_R,
                                  [WF_H2_RECV_PUSH_PROMISE] = PROTOCOL,
                                  [WF_H2_RECV_HEADERS] = STREAM_CLOSED,
                                  [WF_H2_RECV_DATA] = STREAM_CLOSED,
                                  [WF_H2_RECV_END_STREAM] = STREAM_CLOSED,
                                  [WF_H2_RECV_RST_STREAM] = CLOSED,
                                  [WF_H2_RECV_WINDOW_UPDATE] = HALF_CLOSED_R,
                                  [WF_H2_RECV_PRIORITY] = HALF_CLOSED_R},
    [WF_H2_CLOSED] = {[WF_H2_SEND_PUSH_PROMISE] = OURS,
                      [WF_H2_SEND_HEADERS] = OURS,
                      [WF_H2_SEND_DATA] = OURS,
                      [WF_H2_SEND_END_STREAM] = OURS,
                      [WF_H2_SEND_RST_STREAM] = OURS,
                      [WF_H2_SEND_WINDOW_UPDATE] = OURS,
                      [WF_H2_SEND_PRIORITY] = CLOSED,
                      [WF_H2_RECV_PUSH_PROMISE] = PROTOCOL,
                      [WF_H2_RECV_HEADERS] = CONN_CLOSED,
                      [WF_H2_RECV_DATA] = CONN_CLOSED,
                      [WF_H2_RECV_END_STREAM] = CONN_CLOSED,
                      [WF_H2_RECV_RST_STREAM] = CLOSED,
                      [WF_H2_RECV_WINDOW_UPDATE] = CLOSED,
                      [WF_H2_RECV_PRIORITY] = CLOSED},
};

static const char *const illegal_in[WF_H2_STREAM_STATES] = {
    [WF_H2_IDLE] = "a frame came on an idle stream",
    [WF_H2_RESERVED_LOCAL] = "a frame came that a reserved (local) stream does not permit",
    [WF_H2_RESERVED_REMOTE] = "a frame came that a reserved (remote) stream does not permit",
    [WF_H2_OPEN] = "a frame came that an open stream does not permit",
    [WF_H2_HALF_CLOSED_LOCAL] = "a frame came that a half-closed (local) stream does not permit",
    [WF_H2_HALF_CLOSED_REMOTE] = "a frame came after END_STREAM",
    [WF_H2_CLOSED] = "a frame came on a closed stream",
};

bool wf_h2_stream_illegal(const struct wf_h2_stream *stream, enum wf_h2_stream_event event,
                          struct wf_h2_err *out_err)
{
    const struct wf_h2_stream_move *move = &wf_h2_stream_moves[stream->state][event];
    *out_err =
        (struct wf_h2_err){(enum wf_h2_scope)move->scope, move->code, illegal_in[stream->state]};
    return false;
}
