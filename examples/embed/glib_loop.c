/* A GLib program: its main loop turns, and a host with it. What a script waits
 * for wakes the loop, and the loop's own timers go on.
 *
 * The host becomes a source: GLib polls its descriptor, asks how long it may
 * wait, and lets it step.
 */
#include <luge.h>

#include <glib.h>
#include <stdio.h>
#include <string.h>

static const char script[] =
    "local luge = require 'luge'\n"
    "local process = require 'luge.process'\n"
    "local slow = luge.spawn(function() luge.sleep(0.1) return 'slept' end)\n"
    "print(process.run({ 'echo', 'a child of the script' }).stdout)\n"
    "return luge.await(slow)\n";

/* GLib allocates it, and so begins with its own struct. */
struct host_source {
  GSource source;
  luge_host *host;
  GPollFD poll;
};

static gboolean prepare(GSource *source, gint *timeout) {
  struct host_source *self = (struct host_source *)source;
  *timeout = luge_timeout_ms(self->host);
  return *timeout == 0;
}

static gboolean check(GSource *source) {
  struct host_source *self = (struct host_source *)source;
  return self->poll.revents != 0 || luge_timeout_ms(self->host) == 0;
}

static gboolean dispatch(GSource *source, GSourceFunc unused, gpointer data) {
  struct host_source *self = (struct host_source *)source;
  (void)unused;
  (void)data;
  luge_step(self->host);
  return G_SOURCE_CONTINUE;
}

static GSource *attach_host(luge_host *host) {
  static GSourceFuncs functions = {
      .prepare = prepare, .check = check, .dispatch = dispatch};
  GSource *source = g_source_new(&functions, sizeof(struct host_source));
  struct host_source *self = (struct host_source *)source;
  self->host = host;
  self->poll.fd = luge_fd(host);
  self->poll.events = G_IO_IN;
  g_source_add_poll(source, &self->poll);
  g_source_attach(source, NULL);
  return source;
}

static int on_output(luge_host *host, enum luge_stream stream,
                     const char *bytes, size_t length, void *user) {
  (void)host;
  (void)stream;
  (void)user;
  g_print("%.*s", (int)length, bytes);
  return 0;
}

static void on_error(luge_host *host, const char *message,
                     const char *traceback, void *user) {
  (void)host;
  (void)traceback;
  (void)user;
  g_printerr("%s\n", message);
}

static void on_done(luge_host *host, enum luge_status status, lua_State *L,
                    int results, void *data) {
  (void)host;
  if (status == LUGE_OK && results > 0) {
    g_print("The script has %s.\n", lua_tostring(L, -1));
  }
  g_main_loop_quit(data);
}

static gboolean on_tick(gpointer ticks) {
  ++*(int *)ticks;
  return G_SOURCE_CONTINUE;
}

int main(void) {
  luge_options options = {
      .size = sizeof options, .output = on_output, .on_error = on_error};
  luge_host *host = luge_open(&options);
  if (host == NULL) {
    return 1;
  }
  GMainLoop *loop = g_main_loop_new(NULL, FALSE);
  GSource *source = attach_host(host);
  int ticks = 0;
  guint timer = g_timeout_add(10, on_tick, &ticks);
  luge_start_string(host, script, strlen(script), "=script", 0, NULL, on_done,
                    loop);
  g_main_loop_run(loop);
  g_print("Meanwhile GLib's timer has ticked%s.\n", ticks > 1 ? "" : " not");
  g_source_remove(timer);
  g_source_destroy(source);
  g_source_unref(source);
  luge_close(host); /* not before it has left the loop */
  g_main_loop_unref(loop);
  return ticks > 1 ? 0 : 1;
}
