/* SIGINT and SIGTERM as a flag and a descriptor. The second such signal ends the program at once.
 * The first interrupts what the main thread is blocked in. The only state of the programs that is
 * not in a struct: a signal handler takes no argument. */
#ifndef WF_TOOL_INTERRUPT_H
#define WF_TOOL_INTERRUPT_H

#include <stdbool.h>

/* Thread: main, once, before other threads start. False: errno says why. */
bool wf_tool_interrupt_install(void);
/* The signal that came, 0: none. Thread: any. */
int wf_tool_interrupt_signal(void);
/* Readable once a signal came. */
int wf_tool_interrupt_fd(void);

#endif
