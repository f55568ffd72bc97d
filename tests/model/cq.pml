/* The completion queue of src/workers/cq.c: two pushers; consumers that sleep at the gate (SLEEPERS) and
 * consumers that sleep in an epoll instance of their own, on the descriptor (POLLERS). Each takes one
 * node at a time, so that some are left over; pusher 0 pushes a chain of two. With LEAVE a sleeper goes
 * home with its first node.
 *
 * Broken on purpose, one at a time; the checker has to find each:
 *   NO_SECOND_CHECK       a sleeper does not look again after announcing          lost wake-up
 *   NO_PUSH_BARRIER       the look at the gate passes the push                    lost wake-up
 *   NO_CHAIN_WAKE         what is left over wakes nobody                          lost wake-up
 *   NO_CHECK_AFTER_FD     who makes the descriptor does not look at the queue     lost wake-up
 *   FD_AFTER_CHECK        it looks before the descriptor is seen                  lost wake-up
 *   NO_CHECK_AFTER_CLEAR  who clears the descriptor does not look again           lost wake-up
 *   NO_CLEAR_BARRIER      the look passes the store of `signalled`                lost wake-up
 *   CLEAR_THEN_READ       `signalled` is cleared before the descriptor is read    lost wake-up
 *   READ_IF_SIGNALLED     the descriptor is read only if `signalled` says so      readable for ever */
#ifndef SLEEPERS
#define SLEEPERS 1
#endif
#ifndef POLLERS
#define POLLERS 1
#endif

#ifndef PUSHERS
#define PUSHERS 2
#endif

#define THREADS (2 + SLEEPERS + POLLERS)
#define WORDS   1

#define SIGNALLED 0

#include "store_buffer.pml"

/* These are changed by read-modify-writes only, which are seen at once. */
byte head;             /* queued on the stack */
byte asleep;           /* the two halves of the gate change in one step */
byte tokens;
bool has_fd;

/* Guarded by the mutex. A section under it is one atomic step here: it has one access to something that
 * is not guarded, the stack. What unlocking releases is a barrier. */
byte stash;

byte fd_count;         /* the kernel's */
bool kernel_wakes[THREADS];
bool kernel_sleeps[THREADS];

byte pushing = PUSHERS; /* that are not done */
bool lost;

/* The kernel picks one of those who sleep. */
inline futex_wake_one()
{
    atomic {
        if
        :: kernel_sleeps[2] -> kernel_sleeps[2] = false; kernel_wakes[2] = true
#if THREADS > 3
        :: kernel_sleeps[3] -> kernel_sleeps[3] = false; kernel_wakes[3] = true
#endif
#if THREADS > 4
        :: kernel_sleeps[4] -> kernel_sleeps[4] = false; kernel_wakes[4] = true
#endif
        :: else
        fi
    }
}

inline wake_sleeper()
{
    atomic {
        if
        :: asleep > 0 -> asleep--; tokens++; chosen = true
        :: else -> chosen = false
        fi
    };
    if
    :: chosen -> futex_wake_one()
    :: else
    fi
}

inline signal_fd(t)
{
    if
    :: has_fd ->
        barrier(t);
        atomic { was = mem[SIGNALLED]; mem[SIGNALLED] = 1 };
        if
        :: was == 0 -> atomic { fd_count < 3 -> fd_count++ }
        :: else
        fi
    :: else
    fi;
    was = 0
}

inline look(t)
{
    queued = stash > 0 || head > 0;
    barrier(t)
}

inline clear_fd(t)
{
    if
    :: has_fd ->
#ifdef READ_IF_SIGNALLED
        load(t, SIGNALLED, was);
        if
        :: was == 1 -> fd_count = 0
        :: else
        fi;
        was = 0;
#endif
#if !defined(CLEAR_THEN_READ) && !defined(READ_IF_SIGNALLED)
        fd_count = 0;
#endif
        store(t, SIGNALLED, 0);
#ifndef NO_CLEAR_BARRIER
        barrier(t);
#endif
#ifdef CLEAR_THEN_READ
        fd_count = 0;
#endif
#ifndef NO_CHECK_AFTER_CLEAR
        look(t);
        if
        :: queued -> signal_fd(t)
        :: else
        fi
#endif
    :: else
    fi
}

/* Takes one node at most. */
inline take_queued(t)
{
    atomic {
        if
        :: stash == 0 -> stash = head; head = 0
        :: else
        fi;
        taken = (stash > 0 -> 1 : 0);
        stash = stash - taken;
        queued = stash > 0
    };
    barrier(t);
    if
    :: queued ->
#ifndef NO_CHAIN_WAKE
        wake_sleeper()
#else
        skip
#endif
    :: else -> clear_fd(t)
    fi
}

proctype pusher(byte t)
{
    bool chosen;
    byte was;
#ifdef NO_PUSH_BARRIER
    bool sleeping;
    sleeping = asleep > 0;
    head = head + 2 - t;
    if
    :: sleeping -> wake_sleeper()
    :: else
    fi;
#else
    head = head + 2 - t;
    wake_sleeper();
#endif
    signal_fd(t);
    pushing--
}

inline withdraw()
{
    atomic {
        if
        :: tokens > 0 -> tokens--
        :: else -> assert(asleep > 0); asleep--
        fi
    }
}

/* The futex compares the whole gate and enters the sleeper in one step. */
inline sleep_at_gate(t)
{
    do
    :: atomic { tokens > 0 -> tokens-- }; break
    :: atomic { tokens == 0 -> kernel_wakes[t] = false; kernel_sleeps[t] = true };
        if
        :: kernel_wakes[t]
        :: atomic { may_give_up && kernel_sleeps[t] -> kernel_sleeps[t] = false };
            may_give_up = false;
            withdraw();
            break
        fi
    od
}

proctype sleeper(byte t)
{
    bool chosen, queued;
    byte was, taken;
    bool may_give_up = POLLERS == 0; /* its deadline passes once */
end:
    do
    :: take_queued(t);
        if
        :: taken > 0 ->
#ifdef LEAVE
            break
#else
            goto next
#endif
        :: else
        fi;
        atomic { asleep++ };
#ifdef NO_SECOND_CHECK
        queued = false;
#else
        look(t);
#endif
        if
        :: queued -> withdraw()
        :: else -> sleep_at_gate(t)
        fi;
next:
        taken = 0;
        queued = false;
        chosen = false
    od
}

inline make_fd(t)
{
#ifdef FD_AFTER_CHECK
    look(t);
    has_fd = true;
#else
    has_fd = true;
    look(t);
#endif
#ifndef NO_CHECK_AFTER_FD
    if
    :: queued -> signal_fd(t)
    :: else
    fi
#endif
}

proctype poller(byte t)
{
    bool chosen, queued, quiet;
    bool unasked = POLLERS == 1 && SLEEPERS == 0; /* once it takes without having been told */
    byte was, taken;
    make_fd(t);
end:
    do
    :: fd_count > 0 || unasked ->
        if
        :: fd_count > 0
        :: unasked -> unasked = false
        fi;
        quiet = pushing == 0;
        take_queued(t);
#if SLEEPERS == 0 && POLLERS == 1
        /* Nobody pushes any more and nothing is left: it must not be told again. */
        assert(!quiet || head + stash > 0 || fd_count == 0);
#endif
        taken = 0;
        queued = false;
        chosen = false;
        quiet = false
    od
}

proctype monitor()
{
    timeout;
    lost = head + stash > 0 && (asleep > 0 || POLLERS > 0);
    assert(!lost)
}

init {
    atomic {
        run pusher(0);
#if PUSHERS > 1
        run pusher(1);
#endif
        run drain(2);
#if THREADS > 3
        run drain(3);
#endif
#if THREADS > 4
        run drain(4);
#endif
#if SLEEPERS > 0
        run sleeper(2);
#endif
#if SLEEPERS > 1
        run sleeper(3);
#endif
#if POLLERS > 0
        run poller(2 + SLEEPERS);
#endif
#if POLLERS > 1
        run poller(3 + SLEEPERS);
#endif
        run monitor()
    }
}
