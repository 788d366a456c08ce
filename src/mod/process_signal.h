/* Signals that programs are sent, and end by, by name and number. */
#ifndef LUGE_MOD_PROCESS_SIGNAL_H
#define LUGE_MOD_PROCESS_SIGNAL_H

#include <lua.h>

/* Pushes its name: "SIGTERM". */
void luge__push_signal(lua_State *L, int number);

/* The number of the signal at `arg`: that, or a name, with or without "SIG".
 * Raises `invalid`. */
int luge__check_signal(lua_State *L, int arg);

#endif
