/* The completion of src/workers/completion.h: one resolver; one waiter for done; one reader that follows
 * a body with observe and wait_change. The resolver writes two octets, notifying after each, and
 * resolves only when the reader has read both, as a stopped sender does.
 *
 * Broken on purpose, one at a time; the checker has to find each:
 *   NO_COMPARE        the futex does not look at the word                     lost wake-up
 *   NO_WAITERS_BIT    a waiter sleeps without saying so                       lost wake-up
 *   RESOLVE_BY_STORE  DONE is stored, not or-ed, so WAITERS can be missed     lost wake-up
 *   WAKE_ONE          notify takes WAITERS back but wakes one sleeper         lost wake-up
 *   OBSERVE_LATE      the reader looks at the data, then observes             lost wake-up
 *   RELAXED_RESOLVE   the result may be seen after DONE (PSO)                 result not there */
#define THREADS 3 /* resolver 0, waiter 1, reader 2 */
#define WORDS   3
#define RESOLVER 0

#define WORD   0 /* bit 0 DONE, bit 1 WAITERS, the rest counts changes */
#define RESULT 1
#define OCTETS 2

#include "store_buffer.pml"

#define IS_DONE(w)    ((w) % 2 == 1)
#define HAS_WAITERS(w) (((w) / 2) % 2 == 1)
#define LESS_WAITERS(w) (HAS_WAITERS(w) -> (w) - 2 : (w))

bool sleeps[THREADS];
bool woken[THREADS];
byte finished;
byte octets_read;
bool lost;

/* The kernel compares and enters the sleeper in one step, and a wake-up finds whoever is entered. */
inline park(t, expected)
{
    atomic {
        if
#ifdef NO_COMPARE
        :: true -> woken[t] = false; sleeps[t] = true
#else
        :: mem[WORD] == expected -> woken[t] = false; sleeps[t] = true
        :: else -> woken[t] = true
#endif
        fi
    };
    woken[t];
    sleeps[t] = false
}

inline wake_all()
{
    atomic {
        woken[1] = true;
#ifdef WAKE_ONE
        if
        :: sleeps[1]
        :: !sleeps[1] -> woken[2] = true
        fi
#else
        woken[2] = true
#endif
    }
}

inline wake_if(w)
{
    if
    :: HAS_WAITERS(w) -> wake_all()
    :: else
    fi
}

proctype resolver()
{
    byte w;
    byte n = 1;
    do
    :: n > 2 -> break
    :: else ->
        store(RESOLVER, OCTETS, n);
        barrier(RESOLVER); /* release */
        atomic { w = mem[WORD]; mem[WORD] = LESS_WAITERS(w) + 4 };
        wake_if(w);
        n++
    od;
    octets_read == 2;
    store(RESOLVER, RESULT, 1);
#ifdef RESOLVE_BY_STORE
    barrier(RESOLVER);
    w = mem[WORD];
    w = LESS_WAITERS(w) + 1;
    store(RESOLVER, WORD, w);
    barrier(RESOLVER);
#else
#ifndef RELAXED_RESOLVE
    barrier(RESOLVER);
#endif
    atomic { w = mem[WORD]; mem[WORD] = w + 1 };
#endif
    wake_if(w)
}

/* One turn of a wait whose predicate does not hold at @w. */
inline sleep_at(t, w)
{
#ifdef NO_WAITERS_BIT
    park(t, w)
#else
    atomic {
        changed = mem[WORD] != w;
        if
        :: !changed && !HAS_WAITERS(w) -> mem[WORD] = w + 2; w = w + 2
        :: else
        fi
    };
    if
    :: !changed -> park(t, w)
    :: else
    fi
#endif
}

proctype waiter(byte t)
{
    byte w;
    bool changed;
    do
    :: load(t, WORD, w);
        if
        :: IS_DONE(w) -> break
        :: else -> sleep_at(t, w)
        fi
    od;
    assert(mem[RESULT] == 1);
    finished++
}

proctype reader(byte t)
{
    byte w, seen, n;
    bool changed;
    do
    :: octets_read == 2 -> break
    :: else ->
#ifndef OBSERVE_LATE
        load(t, WORD, seen);
        seen = LESS_WAITERS(seen);
#endif
        load(t, OCTETS, n);
#ifdef OBSERVE_LATE
        load(t, WORD, seen);
        seen = LESS_WAITERS(seen);
#endif
        if
        :: n > octets_read -> octets_read = n
        :: else ->
            do
            :: load(t, WORD, w);
                if
                :: IS_DONE(w) || LESS_WAITERS(w) != seen -> break
                :: else -> sleep_at(t, w)
                fi
            od
        fi
    od;
    finished++
}

proctype monitor()
{
    timeout;
    lost = finished != 2;
    assert(!lost)
}

init {
    atomic {
        run drain(0);
        run resolver();
        run waiter(1);
        run reader(2);
        run monitor()
    }
}
