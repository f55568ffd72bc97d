/* The mailbox of src/workers/mailbox.h: two producers, of which one pushes twice, and a consumer that
 * sleeps on something outside (an eventfd, of which `readable` is the state) and once wakes by itself.
 *
 * Broken on purpose, one at a time; the checker has to find each:
 *   NO_SECOND_CHECK      prepare_sleep does not look at the stack          lost wake-up
 *   NO_CONSUMER_BARRIER  the look passes the store of asleep               lost wake-up
 *   NO_PRODUCER_BARRIER  the look at asleep passes the push                lost wake-up
 *   CLEAR_WHILE_ASLEEP   the eventfd is read after prepare_sleep           lost wake-up
 *   CLAIM_IN_TWO_STEPS   asleep is read and cleared, not exchanged         two are told of one sleep
 *   RELAXED_PUSH         the push does not wait for the node's content     content not there (PSO) */
#define THREADS 3 /* producers 0 and 1, consumer 2 */
#define WORDS   4
#define CONSUMER 2

#define CONTENT(p) (p) /* how many nodes of this producer are written */
#define HEAD       2   /* queued nodes: 1 for each of producer 0, 4 for each of producer 1 */
#define ASLEEP     3

#include "store_buffer.pml"

#define PUSHES(p) (2 - (p))
#define ALL       3

bool readable;
byte sleeps;    /* announced */
byte told;      /* pushers that have to wake; never more */
byte received;  /* both producers' */
bool lost;

inline push(p, n)
{
    store(p, CONTENT(p), n);
#ifdef NO_PRODUCER_BARRIER
    barrier(p);
    load(p, ASLEEP, asleep);
#endif
#ifndef RELAXED_PUSH
    barrier(p);
#endif
    atomic { mem[HEAD] = mem[HEAD] + (p == 0 -> 1 : 4) };
#ifndef NO_PRODUCER_BARRIER
    load(p, ASLEEP, asleep);
#endif
}

/* The exchange, which tells exactly one. */
inline claim(p)
{
#ifdef CLAIM_IN_TWO_STEPS
    asleep = mem[ASLEEP];
    if
    :: asleep -> atomic { mem[ASLEEP] = 0; told++ }
    :: else
    fi;
#else
    barrier(p);
    atomic { asleep = mem[ASLEEP]; mem[ASLEEP] = 0; told = told + asleep };
#endif
    assert(told <= sleeps)
}

proctype producer(byte p)
{
    byte n = 1;
    byte asleep;
    do
    :: n > PUSHES(p) -> break
    :: else ->
        push(p, n);
        if
        :: asleep ->
            claim(p);
            if
            :: asleep -> readable = true /* the system call */
            :: else
            fi
        :: else
        fi;
        asleep = 0;
        n++
    od
}

/* Counts what came, and sees that each node's content came with it. */
inline take_all()
{
    load(CONSUMER, HEAD, head);
    if
    :: head != 0 ->
        atomic { head = mem[HEAD]; mem[HEAD] = 0 };
        of0 = of0 + head % 4;
        of1 = of1 + head / 4;
        assert(mem[CONTENT(0)] >= of0);
        assert(mem[CONTENT(1)] >= of1);
        received = of0 + of1
    :: else
    fi
}

inline end_sleep()
{
    load(CONSUMER, ASLEEP, asleep);
    if
    :: asleep -> store(CONSUMER, ASLEEP, 0) /* relaxed: may take its time */
    :: else
    fi;
    asleep = 0
}

inline prepare_sleep()
{
    sleeps++;
    barrier(CONSUMER);
    store(CONSUMER, ASLEEP, 1);
#ifndef NO_CONSUMER_BARRIER
    barrier(CONSUMER);
#endif
#ifdef NO_SECOND_CHECK
    head = 0
#else
    load(CONSUMER, HEAD, head)
#endif
}

proctype consumer()
{
    byte head, of0, of1, asleep;
    bool may_wake_by_itself = true;
    do
    :: received == ALL -> break
    :: else ->
        prepare_sleep();
#ifdef CLEAR_WHILE_ASLEEP
        readable = false;
#endif
        if
        :: head == 0 ->
            if
            :: readable
            :: may_wake_by_itself -> may_wake_by_itself = false
            fi
        :: else
        fi;
        end_sleep();
#ifndef CLEAR_WHILE_ASLEEP
        readable = false;
#endif
        take_all()
    od
}

proctype monitor()
{
    timeout;
    lost = received != ALL;
    assert(!lost)
}

init {
    atomic {
        run drain(0);
        run drain(1);
        run drain(2);
        run producer(0);
        run producer(1);
        run consumer();
        run monitor()
    }
}
