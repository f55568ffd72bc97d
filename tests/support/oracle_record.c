#include "support/oracle_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct oracle_try *oracle_record_try(struct oracle_record *record, unsigned number, unsigned conn,
                                     uint32_t stream, bool is_late)
{
    struct oracle_try *attempt = calloc(1, sizeof(*attempt));
    if (attempt == NULL)
        abort();
    *attempt = (struct oracle_try){.next = record->tries,
                                   .number = number,
                                   .conn = conn,
                                   .stream = stream,
                                   .is_late = is_late};
    for (const struct oracle_try *before = record->tries; before != NULL; before = before->next) {
        if (before->number != number)
            continue;
        attempt->attempt++;
        if (before->said == ORACLE_SAID_BEGUN && !before->is_unclear && !is_late)
            attempt->is_again = true;
    }
    record->tries = attempt;
    return attempt;
}

void oracle_try_note(struct oracle_try *attempt, const char *what)
{
    for (unsigned i = 0; i < ORACLE_NOTES; i++) {
        if (attempt->notes[i] != NULL)
            continue;
        attempt->notes[i] = what;
        return;
    }
}

void oracle_record_lost(struct oracle_record *record, unsigned conn)
{
    for (struct oracle_try *attempt = record->tries; attempt != NULL; attempt = attempt->next)
        attempt->is_unclear = attempt->is_unclear || attempt->conn == conn;
}

static void describe(const struct oracle_try *attempt, struct oracle_log *log)
{
    static const char *const said[] = {"", " (not)", " (begun)"};
    size_t at = strlen(log->trail);
    (void)snprintf(log->trail + at, sizeof(log->trail) - at, " %u/%u:", attempt->conn,
                   attempt->stream);
    for (unsigned i = 0; i < ORACLE_NOTES && attempt->notes[i] != NULL; i++) {
        at = strlen(log->trail);
        (void)snprintf(log->trail + at, sizeof(log->trail) - at, " %s", attempt->notes[i]);
    }
    at = strlen(log->trail);
    (void)snprintf(log->trail + at, sizeof(log->trail) - at, "%s%s%s;",
                   attempt->was_processed ? " processed" : "", said[attempt->said],
                   attempt->is_unclear ? " (lost?)" : "");
}

static void add(const struct oracle_try *attempt, struct oracle_log *log)
{
    log->received++;
    log->processed += attempt->was_processed;
    log->refused += attempt->said == ORACLE_SAID_NOT;
    log->begun += attempt->said == ORACLE_SAID_BEGUN;
    log->doubtful += attempt->said == ORACLE_SAID_NOTHING;
    log->unclear += attempt->is_unclear;
    log->wrong += attempt->is_wrong;
    log->farewells += attempt->is_farewell;
    /* What a GOAWAY left out may be read long after it came again elsewhere. */
    log->came_again = log->came_again || (attempt->is_again && attempt->said != ORACLE_SAID_NOT);
    describe(attempt, log);
}

void oracle_record_fini(struct oracle_record *record, struct oracle_log *out_logs)
{
    struct oracle_try *first = NULL;
    memset(out_logs, 0, ORACLE_REQUESTS * sizeof(*out_logs));
    for (struct oracle_try *next, *attempt = record->tries; attempt != NULL; attempt = next) {
        next = attempt->next;
        attempt->next = first;
        first = attempt;
    }
    for (struct oracle_try *next, *attempt = first; attempt != NULL; attempt = next) {
        next = attempt->next;
        add(attempt, &out_logs[attempt->number]);
        free(attempt);
    }
    record->tries = NULL;
}
