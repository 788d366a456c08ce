/* What hosts let their scripts do: capabilities, luge_restrict, and the
 * callbacks that are asked and told. */
#define _GNU_SOURCE 1 /* for uv.h */

#include "embed.h"

#include <unistd.h>

static struct {
  int asked, told, denied;
  const char *refuse; /* a resource that on_authorize does not let pass */
  char operation[64], capability[16], resource[256], rule[256];
} seen;

static int on_authorize(luge_host *host, const luge_access *access,
                        void *user) {
  (void)host;
  CHECK(user == &seen && access->allowed);
  seen.asked++;
  return seen.refuse == NULL || strcmp(access->resource, seen.refuse) != 0;
}

static void on_audit(luge_host *host, const luge_access *access, void *user) {
  (void)host;
  CHECK(user == &seen);
  seen.told++;
  seen.denied += !access->allowed;
  snprintf(seen.operation, sizeof seen.operation, "%s", access->operation);
  snprintf(seen.capability, sizeof seen.capability, "%s", access->capability);
  snprintf(seen.resource, sizeof seen.resource, "%s", access->resource);
  snprintf(seen.rule, sizeof seen.rule, "%s", access->rule);
}

static char logged[512];

static void on_log(luge_host *host, enum luge_log_level level,
                   const char *message, void *user) {
  (void)host;
  (void)user;
  CHECK(level == LUGE_LOG_ERROR);
  snprintf(logged, sizeof logged, "%s", message);
}

static luge_host *open_with(const luge_capabilities *capabilities) {
  luge_options options = {.size = sizeof options,
                          .user = &seen,
                          .on_error = on_error,
                          .log = on_log,
                          .capabilities = capabilities};
  memset(&seen, 0, sizeof seen);
  logged[0] = '\0';
  return luge_open(&options);
}

/* What every call of a script raises: its kind and capability. */
static const char denied_everything[] =
    "local function denied(capability, f, ...)\n"
    "  local ok, e = pcall(f, ...)\n"
    "  assert(not ok and e.kind == 'permission', tostring(e))\n"
    "  assert(e.capability == capability, e.capability)\n"
    "end\n"
    "local fs, process = require 'luge.fs', require 'luge.process'\n"
    "denied('read', fs.read, '/etc/passwd')\n"
    "denied('read', io.open, '/etc/passwd')\n"
    "denied('read', loadfile, '/etc/passwd')\n"
    "denied('write', fs.write, '/tmp/x', 'x')\n"
    "denied('env', os.getenv, 'HOME')\n"
    "denied('run', os.execute, 'true')\n"
    "denied('run', process.run, { 'true' })\n"
    "denied('net', require('luge.http').server, { handler = print })\n"
    "denied('host', load, '\\27Lua')\n"
    "denied('host', package.loadlib, '*', '*')\n"
    "denied('signal', require('luge').signal, 'TERM')\n"
    "assert(not debug.sethook and not string.dump)\n"
    "assert(not pcall(require, 'some.module'))\n"
    "require('luge').sleep(0)";

static void test_sandboxed(void) {
  luge_capabilities may = luge_sandboxed();
  luge_host *host = open_with(&may);
  RUNS(host, denied_everything);
  CHECK(luge_restrict(host, &may) == LUGE_INVALID);
  CHECK(luge_close(host) == LUGE_OK);
}

static void test_trusted(void) {
  luge_capabilities may = luge_trusted();
  luge_host *host = open_with(&may);
  RUNS(host, "assert(io.open('/') and debug.sethook and string.dump)\n"
             "assert(os.getenv 'PATH')");
  CHECK(seen.told == 0);
  CHECK(luge_restrict(host, &may) == LUGE_OK);
  CHECK(luge_close(host) == LUGE_OK);
  may.audit = on_audit;
  host = open_with(&may);
  RUNS(host, "assert(os.getenv 'PATH' and debug.sethook)");
  CHECK(seen.told == 1 && seen.denied == 0);
  CHECK(strcmp(seen.operation, "env.get") == 0);
  CHECK(strcmp(seen.resource, "PATH") == 0);
  CHECK(strcmp(seen.rule, "trusted") == 0);
  CHECK(luge_close(host) == LUGE_OK);
}

/* What prepares a host may do all; what runs later may not. */
static void test_restrict(void) {
  luge_capabilities may = luge_sandboxed();
  luge_host *host = open_with(NULL);
  CHECK(luge_restrict(NULL, &may) == LUGE_INVALID);
  CHECK(luge_restrict(host, NULL) == LUGE_INVALID);
  RUNS(host, "assert(os.getenv 'PATH' and io.open '/')\n"
             "require 'luge.native.testrun'");
  CHECK(luge_restrict(host, &may) == LUGE_OK);
  CHECK(luge_restrict(host, &may) == LUGE_INVALID);
  RUNS(host, denied_everything);
  RUNS(host, "local ok, e = pcall(require('luge.native.testrun').report, '')\n"
             "assert(not ok and e.kind == 'permission')");
  CHECK(luge_close(host) == LUGE_OK);
}

static void test_rules_and_callbacks(void) {
  luge_capabilities may = luge_sandboxed();
  may.env.allow = "*";
  may.env.deny = "SECRET,AWS_*";
  may.read.allow = "/etc";
  may.authorize = on_authorize;
  may.audit = on_audit;
  luge_host *host = open_with(&may);
  RUNS(host, "os.getenv 'PATH'");
  CHECK(seen.asked == 1 && seen.told == 1 && seen.denied == 0);
  CHECK(strcmp(seen.capability, "env") == 0);
  CHECK(strcmp(seen.rule, "--allow-env") == 0);
  RUNS(host, "assert(not pcall(os.getenv, 'AWS_KEY'))");
  CHECK(seen.asked == 1 && seen.told == 2 && seen.denied == 1);
  CHECK(strcmp(seen.rule, "--deny-env=AWS_*") == 0);
  RUNS(host, "assert(pcall(os.getenv, 'AWS'))");
  seen.refuse = "HOME";
  RUNS(host, "local ok, e = pcall(os.getenv, 'HOME')\n"
             "assert(not ok and e.resource == 'HOME')\n"
             "assert(tostring(e):find 'the host refuses it')");
  CHECK(strcmp(seen.rule, "authorize") == 0 && seen.denied == 2);
  RUNS(host, "assert(#require('luge.fs').list '/etc' > 0)");
  CHECK(strcmp(seen.operation, "fs.list") == 0);
  CHECK(strcmp(seen.rule, "--allow-read=/etc") == 0);
  RUNS(host, "local ok, e = pcall(io.open, '/')\n"
             "assert(tostring(e):find('--allow-read=/ allows it', 1, true))");
  CHECK(seen.rule[0] == '\0');
  CHECK(luge_close(host) == LUGE_OK);
}

/* What the callback refuses to the script, its children do not get either. */
static void test_children(void) {
  luge_capabilities may = luge_sandboxed();
  may.env.allow = "*";
  may.run.allow = "env";
  may.authorize = on_authorize;
  setenv("SECRET", "1", 1);
  setenv("PLAIN", "1", 1);
  luge_host *host = open_with(&may);
  seen.refuse = "SECRET";
  RUNS(host, "local out = require('luge.process').run { 'env' }.stdout\n"
             "assert(out:find 'PLAIN=1' and not out:find 'SECRET')\n"
             "assert(not pcall(os.getenv, 'SECRET'))");
  CHECK(luge_close(host) == LUGE_OK);
}

static void refused(luge_capabilities may, const char *text) {
  CHECK(open_with(&may) == NULL);
  CHECK(strstr(logged, text) != NULL);
}

static void test_bad_capabilities(void) {
  luge_capabilities may = luge_sandboxed();
  may.net.allow = "10.0.0.0/33";
  refused(may, "--allow-net=10.0.0.0/33: ");
  may.net.allow = NULL;
  may.net.deny = "a,,b";
  refused(may, "--deny-net=a,b: ");
  may.net.deny = "";
  refused(may, "--deny-net=: ");
  may.net.deny = "example.com:99999";
  refused(may, "--deny-net=example.com:99999: ");
  may.net.deny = NULL;
  may.env.allow = "A=B";
  refused(may, "--allow-env=A=B: ");
  may = luge_sandboxed();
  may.size++;
  refused(may, "");
  may.size = 0;
  refused(may, "");
  may.size = offsetof(luge_capabilities, modules); /* an older one */
  may.audit = on_audit;
  luge_host *host = open_with(&may);
  RUNS(host, "assert(not pcall(os.getenv, 'HOME'))");
  CHECK(seen.told == 0);
  CHECK(luge_close(host) == LUGE_OK);
}

/* A folder with a module in it that nothing else allows to read. */
static void test_modules(void) {
  char directory[] = "/tmp/luge-modules-XXXXXX", path[64], templates[64];
  CHECK(mkdtemp(directory) != NULL);
  snprintf(path, sizeof path, "%s/mine.lua", directory);
  snprintf(templates, sizeof templates, "%s/?.lua", directory);
  FILE *file = fopen(path, "w");
  CHECK(file != NULL && fputs("return 'mine'", file) >= 0);
  fclose(file);
  luge_capabilities may = luge_sandboxed();
  luge_options options = {.size = sizeof options,
                          .on_error = on_error,
                          .module_path = templates,
                          .capabilities = &may};
  luge_host *host = luge_open(&options);
  RUNS(host, "assert(not pcall(require, 'mine'))");
  CHECK(luge_close(host) == LUGE_OK);
  may.modules = directory;
  host = luge_open(&options);
  RUNS(host, "assert(require 'mine' == 'mine')\n"
             "assert(not pcall(io.open, package.searchpath('mine', "
             "package.path)))");
  CHECK(luge_close(host) == LUGE_OK);
  unlink(path);
  rmdir(directory);
}

static luge_host *running;

static int try_restrict(lua_State *L) {
  luge_capabilities may = luge_sandboxed();
  lua_pushinteger(L, luge_restrict(running, &may));
  return 1;
}

/* Not while a script runs. */
static void test_inside(void) {
  luge_host *host = running = open_with(NULL);
  lua_pushcfunction(luge_lua(host), try_restrict);
  lua_setglobal(luge_lua(host), "try_restrict");
  char code[64];
  snprintf(code, sizeof code, "assert(try_restrict() == %d)", LUGE_INVALID);
  RUNS(host, code);
  CHECK(luge_close(host) == LUGE_OK);
}

int main(void) {
  test_sandboxed();
  test_trusted();
  test_restrict();
  test_rules_and_callbacks();
  test_children();
  test_bad_capabilities();
  test_modules();
  test_inside();
  return verdict();
}
