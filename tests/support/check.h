/* A check that holds in every build and on every thread, for tests that are more than one CMocka
 * test: it prints where, and what check_context() said of the run, and aborts. */
#ifndef WF_TESTS_CHECK_H
#define WF_TESTS_CHECK_H

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            check_failed(__FILE__, __LINE__, #condition);                                          \
    } while (0)

/* What a person needs to have the run again, a seed for instance. Thread: one. */
void check_context(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What is being checked now. Thread: one. */
void check_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void check_failed(const char *file, int line, const char *condition) __attribute__((noreturn));

#endif
