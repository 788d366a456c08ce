/* What a worker's host prints, logs, reports and asks, on its way to its
 * parent: as messages that the parent's loop takes in their order, before it is
 * told that the job is done. A worker that prints faster than the parent takes
 * it waits. The messages are malloc'ed. */
#include <stdlib.h>
#include <string.h>

#include "../core/host.h"
#include "../core/permission.h"
#include "modules.h"
#include "worker.h"

enum { MAX_UNSENT = 1 << 18 };

enum kind { PRINT, LOG, RECORD, REPORT };

struct message {
  struct luge_worker *worker;
  enum kind kind;
  int number;    /* the stream, or the level */
  size_t length; /* of the first text */
  size_t size;   /* of both, with their NULs */
  char texts[];  /* the second is empty for none */
};

static void taken(struct luge_worker *worker, size_t size) {
  uv_mutex_lock(&worker->mutex);
  worker->unsent -= size;
  uv_cond_broadcast(&worker->changed);
  uv_mutex_unlock(&worker->mutex);
}

/* On the parent's thread. */
static void deliver(luge_host *parent, void *data) {
  struct message *message = data;
  const char *first = message->texts;
  const char *second = first + message->length + 1;
  switch (message->kind) {
  case PRINT:
    luge__print(parent, (enum luge_stream)message->number, first,
                message->length);
    break;
  case LOG:
    luge__log(parent, (enum luge_log_level)message->number, first);
    break;
  case RECORD:
    luge__log_record(parent, (enum luge_log_level)message->number, first,
                     second);
    break;
  case REPORT:
    luge__report_text(parent, first, second[0] != '\0' ? second : NULL);
    break;
  }
  taken(message->worker, message->size);
  free(message);
}

/* NULL: there is no memory. `second` may be NULL. */
static struct message *create(enum kind kind, const char *first, size_t length,
                              const char *second) {
  size_t more = second != NULL ? strlen(second) : 0;
  struct message *message = malloc(sizeof *message + length + more + 2);
  if (message != NULL) {
    message->kind = kind;
    message->length = length;
    message->size = length + more + 2;
    memcpy(message->texts, first, length);
    message->texts[length] = '\0';
    memcpy(message->texts + length + 1, more > 0 ? second : "", more);
    message->texts[length + 1 + more] = '\0';
  }
  return message;
}

/* Takes the message over. One that comes when the parent takes no more, or
 * when the job was cancelled and there is no room, is dropped. */
static void post(struct luge_worker *worker, struct message *message) {
  uv_mutex_lock(&worker->mutex);
  while (worker->unsent > MAX_UNSENT && worker->parent != NULL &&
         !worker->cancel && !worker->stop) {
    uv_cond_wait(&worker->changed, &worker->mutex);
  }
  bool sent = worker->unsent <= MAX_UNSENT && worker->parent != NULL;
  if (sent) {
    worker->unsent += message->size;
    sent = luge_post(worker->parent, deliver, message) == LUGE_OK;
    if (!sent) {
      worker->unsent -= message->size;
    }
  }
  uv_mutex_unlock(&worker->mutex);
  if (!sent) {
    free(message);
  }
}

static void forward(struct luge_worker *worker, int number,
                    struct message *message) {
  if (message != NULL) {
    message->worker = worker;
    message->number = number;
    post(worker, message);
  }
}

static int on_output(luge_host *host, enum luge_stream stream,
                     const char *bytes, size_t length, void *user) {
  enum { PIECE = 1 << 16 };
  (void)host;
  for (size_t at = 0; at < length; at += PIECE) {
    size_t size = length - at < PIECE ? length - at : PIECE;
    forward(user, (int)stream, create(PRINT, bytes + at, size, NULL));
  }
  return 0;
}

static void on_log(luge_host *host, enum luge_log_level level,
                   const char *message, void *user) {
  (void)host;
  forward(user, (int)level, create(LOG, message, strlen(message), NULL));
}

static void on_record(luge_host *host, enum luge_log_level level,
                      const char *text, const char *json, void *user) {
  (void)host;
  forward(user, (int)level, create(RECORD, text, strlen(text), json));
}

static void on_error(luge_host *host, const char *message,
                     const char *traceback, void *user) {
  (void)host;
  forward(user, 0, create(REPORT, message, strlen(message), traceback));
}

/* Questions: the worker waits for the answer. The parent takes what has been
 * posted before it takes no more, so that each is answered; one that comes
 * later is denied. */

struct question {
  struct luge_worker *worker;
  const luge_access *access;
  bool tells; /* wants no answer */
  int allowed;
  bool answered;
};

/* On the parent's thread. */
static void answer(luge_host *parent, void *data) {
  struct question *question = data;
  struct luge_worker *worker = question->worker;
  int allowed = 0;
  if (question->tells) {
    luge__permission_audit(parent, question->access);
  } else {
    allowed = luge__permission_authorize(parent, question->access);
  }
  uv_mutex_lock(&worker->mutex);
  question->allowed = allowed;
  question->answered = true;
  uv_cond_broadcast(&worker->changed);
  uv_mutex_unlock(&worker->mutex);
}

static int ask(struct luge_worker *worker, const luge_access *access,
               bool tells) {
  struct question question = {
      .worker = worker, .access = access, .tells = tells};
  struct luge_posted posted = {.fn = answer, .data = &question};
  uv_mutex_lock(&worker->mutex);
  bool asked = worker->parent != NULL &&
               luge__post_kept(worker->parent, &posted) == LUGE_OK;
  while (asked && !question.answered) {
    uv_cond_wait(&worker->changed, &worker->mutex);
  }
  uv_mutex_unlock(&worker->mutex);
  return question.allowed;
}

static int on_authorize(luge_host *host, const luge_access *access,
                        void *user) {
  (void)host;
  return ask(user, access, false);
}

static void on_audit(luge_host *host, const luge_access *access, void *user) {
  (void)host;
  ask(user, access, true);
}

static int restrict_modules(lua_State *L) {
  luge__modules_restrict(L);
  return 0;
}

bool luge__worker_inherit(struct luge_worker *worker, luge_host *host) {
  if (worker->permission == NULL) {
    return true;
  }
  lua_pushcfunction(host->L, restrict_modules);
  return luge__permission_inherit(host, worker->permission, on_authorize,
                                  on_audit) == LUGE_OK &&
         lua_pcall(host->L, 0, 0, 0) == LUA_OK;
}

void luge__worker_forward(luge_options *options) {
  options->output = on_output;
  options->log = on_log;
  options->record = on_record;
  options->on_error = on_error;
}
