/* The node that every hand-over between threads moves, and the stack it is pushed on.
 * A push is one compare-and-swap of a stack head and a drain is one exchange, so no half-linked
 * state exists: a producer that is preempted anywhere delays only its own nodes.
 *
 * | may overlap | push | take_all | peek |
 * | push        | yes  | yes      | yes  |
 * | take_all    | yes  | yes      | yes  |
 *
 * A node belongs to the pusher until push begins and to the consumer once take_all returned it. */
#ifndef WF_WORKERS_MAIL_H
#define WF_WORKERS_MAIL_H

#include "base/assert.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct wf_mail {
    struct wf_mail *next;
};

struct wf_mail_stack {
    _Atomic(struct wf_mail *) head;
};

static inline void wf_mail_stack_init(struct wf_mail_stack *stack)
{
    atomic_init(&stack->head, NULL);
}

/* Pushes a chain that is linked from @newest to @oldest by `next`; what @oldest points at does not
 * matter. Thread: any. */
static inline void wf_mail_stack_push(struct wf_mail_stack *stack, struct wf_mail *newest,
                                      struct wf_mail *oldest)
{
    /* Relaxed: only a guess, which the exchange below checks. */
    struct wf_mail *head = atomic_load_explicit(&stack->head, memory_order_relaxed);
    do {
        oldest->next = head;
        /* R1: publishes the chain; pairs with A1. Sequentially consistent for the callers' sake: it
         * is the first half of F1, F3, F5 and F7, whose second half is a look at the consumer's
         * flag. */
    } while (!atomic_compare_exchange_weak_explicit(&stack->head, &head, newest,
                                                    memory_order_seq_cst, memory_order_relaxed));
}

/* True: something is queued. Sequentially consistent, since it is the second half of F2, F4, F6 and
 * F8: the caller has just said that it sleeps, or cleared a flag, and looks again. Thread: any. */
static inline bool wf_mail_stack_peek(struct wf_mail_stack *stack)
{
    return atomic_load_explicit(&stack->head, memory_order_seq_cst) != NULL;
}

/* All that is queued, oldest first; NULL: nothing. Thread: any; each node goes to one caller. */
static inline struct wf_mail *wf_mail_stack_take_all(struct wf_mail_stack *stack)
{
    /* Relaxed: saves the exchange on an empty stack. Who must not miss a push looks with peek. */
    if (atomic_load_explicit(&stack->head, memory_order_relaxed) == NULL)
        return NULL;
    /* A1: receives the chains; pairs with R1. */
    struct wf_mail *mail = atomic_exchange_explicit(&stack->head, NULL, memory_order_acquire);
    struct wf_mail *first = NULL;
    while (mail != NULL) {
        struct wf_mail *next = mail->next;
        mail->next = first;
        first = mail;
        mail = next;
    }
    return first;
}

#endif
