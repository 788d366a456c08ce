// The same from C++: luge.h needs no wrapping.
#include <luge.h>

#include <string>

static int answer(lua_State *L) {
  lua_pushinteger(L, 42);
  return 1;
}

int main() {
  const std::string code = "assert(answer() == 42)";
  luge_host *host = luge_open(nullptr);
  if (host == nullptr) {
    return 1;
  }
  lua_register(luge_lua(host), "answer", answer);
  int status =
      luge_run_string(host, code.data(), code.size(), "=script", 0, nullptr);
  luge_close(host);
  return status;
}
