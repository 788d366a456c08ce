/* libedit, loaded when the prompt is first shown: a script needs none of it.
 * Its wide interface is used, which does not depend on how the terminal's
 * encoding is called. Loop thread only. */
#ifndef LUGE_CLI_LIBEDIT_H
#define LUGE_CLI_LIBEDIT_H

#include <histedit.h>

#define CLI_LIBEDIT_FUNCTIONS(X)                                               \
  X(el_end)                                                                    \
  X(el_init)                                                                   \
  X(el_resize)                                                                 \
  X(el_set)                                                                    \
  X(el_source)                                                                 \
  X(el_wgets)                                                                  \
  X(el_winsertstr)                                                             \
  X(el_wline)                                                                  \
  X(el_wset)                                                                   \
  X(history_w)                                                                 \
  X(history_wend)                                                              \
  X(history_winit)

struct cli_libedit {
#define CLI_LIBEDIT_MEMBER(name) __typeof__(&name) name;
  CLI_LIBEDIT_FUNCTIONS(CLI_LIBEDIT_MEMBER)
#undef CLI_LIBEDIT_MEMBER
};

/* The table; or NULL: there is no libedit. */
const struct cli_libedit *cli_libedit_load(void);

#endif
