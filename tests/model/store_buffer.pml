/* Memory as several CPUs see it: each thread has a store buffer, which drains when it likes.
 * Under TSO (x86) stores leave a buffer in the order in which they entered it. With PSO defined, stores
 * to different words leave in any order, as weaker machines and the compiler allow between relaxed
 * stores. Define THREADS and WORDS (at most 4) first.
 *
 * A store that the code marks sequentially consistent is `store` and then `barrier`; a release is
 * `barrier` and then the access; a read-modify-write acts on `mem` in one atomic step, after `barrier`
 * where the code asks for release or more. */
#define NOTHING 255

typedef buffer {
    byte val[WORDS] = NOTHING
}

byte mem[WORDS];
buffer pending[THREADS];
chan order[THREADS] = [WORDS] of { byte };

/* Waits while an older store of this thread to the same word is on its way. */
inline store(t, word, value)
{
    atomic {
        pending[t].val[word] == NOTHING;
        pending[t].val[word] = value;
        order[t] ! word
    }
}

inline barrier(t)
{
    empty(order[t])
}

inline load(t, word, out)
{
    atomic {
        if
        :: pending[t].val[word] != NOTHING -> out = pending[t].val[word]
        :: else -> out = mem[word]
        fi
    }
}

#define DRAIN(t, word)  \
    mem[word] = pending[t].val[word]; \
    pending[t].val[word] = NOTHING

proctype drain(byte t)
{
    byte word;
end:
    do
#ifndef PSO
    :: atomic { order[t] ? word -> DRAIN(t, word) }
#else
    :: atomic { order[t] ?? 0 -> DRAIN(t, 0) }
#if WORDS > 1
    :: atomic { order[t] ?? 1 -> DRAIN(t, 1) }
#endif
#if WORDS > 2
    :: atomic { order[t] ?? 2 -> DRAIN(t, 2) }
#endif
#if WORDS > 3
    :: atomic { order[t] ?? 3 -> DRAIN(t, 3) }
#endif
#endif
    od;
}
