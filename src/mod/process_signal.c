/* Signals by name; see process_signal.h. */
#include "process_signal.h"

#include <lauxlib.h>
#include <signal.h>
#include <string.h>

#include "../core/args.h"
#include "../core/error.h"

static const struct {
  const char *name;
  int number;
} signals[] = {
    {"SIGHUP", SIGHUP},   {"SIGINT", SIGINT},   {"SIGQUIT", SIGQUIT},
    {"SIGILL", SIGILL},   {"SIGTRAP", SIGTRAP}, {"SIGABRT", SIGABRT},
    {"SIGBUS", SIGBUS},   {"SIGFPE", SIGFPE},   {"SIGKILL", SIGKILL},
    {"SIGUSR1", SIGUSR1}, {"SIGSEGV", SIGSEGV}, {"SIGUSR2", SIGUSR2},
    {"SIGPIPE", SIGPIPE}, {"SIGALRM", SIGALRM}, {"SIGTERM", SIGTERM},
    {"SIGCHLD", SIGCHLD}, {"SIGCONT", SIGCONT}, {"SIGSTOP", SIGSTOP},
    {"SIGTSTP", SIGTSTP}, {"SIGTTIN", SIGTTIN}, {"SIGTTOU", SIGTTOU},
    {"SIGXCPU", SIGXCPU}, {"SIGXFSZ", SIGXFSZ}, {"SIGWINCH", SIGWINCH},
    {"SIGSYS", SIGSYS},
};

enum { SIGNALS = sizeof signals / sizeof signals[0] };

void luge__push_signal(lua_State *L, int number) {
  for (int i = 0; i < SIGNALS; i++) {
    if (signals[i].number == number) {
      lua_pushstring(L, signals[i].name);
      return;
    }
  }
  lua_pushfstring(L, "SIG%d", number);
}

int luge__check_signal(lua_State *L, int arg) {
  if (lua_isinteger(L, arg)) {
    return (int)luge__check_integer(L, arg, 1, "a signal");
  }
  const char *name =
      lua_type(L, arg) == LUA_TSTRING ? lua_tostring(L, arg) : "";
  for (int i = 0; i < SIGNALS; i++) {
    if (strcmp(signals[i].name, name) == 0 ||
        strcmp(signals[i].name + 3, name) == 0) {
      return signals[i].number;
    }
  }
  return luge__arg_error(L, arg, "the name of a signal, such as \"SIGTERM\"");
}
