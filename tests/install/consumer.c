/* Runs a script that calls a function of the embedder. */
#include <luge.h>
#include <string.h>

static int answer(lua_State *L) {
  lua_pushinteger(L, 42);
  return 1;
}

int main(void) {
  const char *code = "local luge = require 'luge'\n"
                     "luge.sleep(0)\n"
                     "assert(answer() == 42)\n";
  luge_host *host = luge_open(NULL);
  if (host == NULL) {
    return 1;
  }
  lua_register(luge_lua(host), "answer", answer);
  int status = luge_run_string(host, code, strlen(code), "=script", 0, NULL);
  luge_close(host);
  return status;
}
