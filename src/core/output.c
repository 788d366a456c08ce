/* What scripts print; see output.h. */
#include "output.h"

#include <string.h>

#include "host.h"
#include "task.h"

enum { CAPACITY = 16384 };

struct luge_output *luge__output(luge_host *host, enum luge_stream stream) {
  return &host->output[stream - LUGE_STDOUT];
}

void luge__output_init(luge_host *host) {
  luge__turns_init(&luge__output(host, LUGE_STDOUT)->writers);
  luge__turns_init(&luge__output(host, LUGE_STDERR)->writers);
  luge__output(host, LUGE_STDOUT)->buffering =
      host->options.line_buffered ? LUGE_BUFFER_LINE : LUGE_BUFFER_FULL;
  luge__output(host, LUGE_STDERR)->buffering = LUGE_BUFFER_NONE;
}

void luge__output_free(luge_host *host) {
  for (int i = LUGE_STDOUT; i <= LUGE_STDERR; i++) {
    struct luge_output *output = luge__output(host, (enum luge_stream)i);
    luge__realloc(host, output->bytes, CAPACITY, 0);
    output->bytes = NULL;
  }
}

/* A stream that failed once is closed: what comes later is dropped. */
static void hand_over(luge_host *host, enum luge_stream stream,
                      const char *bytes, size_t length) {
  struct luge_output *output = luge__output(host, stream);
  if (length == 0 || output->error != 0 || host->options.output == NULL) {
    return;
  }
  host->calling++;
  int status =
      host->options.output(host, stream, bytes, length, host->options.user);
  host->calling--;
  if (status < 0) {
    output->error = status;
  }
}

/* The buffer is empty before it is handed over: the callback may print. */
static void flush(luge_host *host, enum luge_stream stream) {
  struct luge_output *output = luge__output(host, stream);
  size_t begin = output->begin, end = output->end;
  output->begin = output->end = 0;
  if (end > begin) {
    hand_over(host, stream, output->bytes + begin, end - begin);
  }
}

void luge__flush(luge_host *host) {
  flush(host, LUGE_STDOUT);
  flush(host, LUGE_STDERR);
}

static size_t room(luge_host *host, enum luge_stream stream) {
  const luge_options *options = &host->options;
  if (options->output_room == NULL || luge__output(host, stream)->error != 0) {
    return SIZE_MAX;
  }
  host->calling++;
  size_t room = options->output_room(host, stream, options->user);
  host->calling--;
  return room;
}

static void flush_ready(luge_host *host, enum luge_stream stream) {
  struct luge_output *output = luge__output(host, stream);
  while (output->end > output->begin) {
    size_t length = output->end - output->begin, take = room(host, stream);
    if (take == 0) {
      return;
    }
    take = take < length ? take : length;
    hand_over(host, stream, output->bytes + output->begin, take);
    output->begin += take;
  }
  output->begin = output->end = 0;
}

void luge__flush_ready(luge_host *host) {
  flush_ready(host, LUGE_STDOUT);
  flush_ready(host, LUGE_STDERR);
}

/* Copies what fits into the buffer; says how much. */
static size_t collect(luge_host *host, struct luge_output *output,
                      const char *bytes, size_t length) {
  if (output->bytes == NULL) {
    output->bytes = luge__realloc(host, NULL, 0, CAPACITY);
    if (output->bytes == NULL) {
      return 0;
    }
  }
  if (output->begin > 0 && length > CAPACITY - output->end) {
    memmove(output->bytes, output->bytes + output->begin,
            output->end - output->begin);
    output->end -= output->begin;
    output->begin = 0;
  }
  size_t left = CAPACITY - output->end;
  size_t take = length < left ? length : left;
  memcpy(output->bytes + output->end, bytes, take);
  output->end += take;
  return take;
}

static bool wants_flush(const struct luge_output *output, const char *bytes,
                        size_t length) {
  return output->buffering == LUGE_BUFFER_NONE ||
         (output->buffering == LUGE_BUFFER_LINE &&
          memchr(bytes, '\n', length) != NULL);
}

/* Printing has failed, and the embedder has cancelled the task for it. Since
 * `print` raises nothing, and may be all that the task ever does, it is
 * interrupted. */
static void on_failed(luge_host *host) {
  const struct luge_task *task = host->current;
  if (task != NULL && (task->scope->flags & LUGE_SCOPE_CANCELLED)) {
    luge_interrupt(host);
  }
}

int luge__print(luge_host *host, enum luge_stream stream, const char *bytes,
                size_t length) {
  struct luge_output *output = luge__output(host, stream);
  bool failed = output->error != 0;
  if (stream == LUGE_STDERR) {
    flush(host, LUGE_STDOUT);
  }
  if (length > CAPACITY - (output->end - output->begin) ||
      collect(host, output, bytes, length) < length) {
    flush(host, stream);
    hand_over(host, stream, bytes, length);
  } else if (wants_flush(output, bytes, length)) {
    flush(host, stream);
  }
  if (!failed && output->error != 0) {
    on_failed(host);
  }
  return output->error;
}

/* Goes on until the buffer stays full: only then has the embedder refused to
 * take more, and will call luge_output_ready. */
size_t luge__offer(luge_host *host, enum luge_stream stream, const char *bytes,
                   size_t length) {
  struct luge_output *output = luge__output(host, stream);
  size_t taken = 0;
  if (stream == LUGE_STDERR) {
    flush_ready(host, LUGE_STDOUT);
  }
  do {
    taken += collect(host, output, bytes + taken, length - taken);
    if (output->bytes == NULL) { /* no memory for it */
      hand_over(host, stream, bytes, length);
      return length;
    }
    if (taken < length || wants_flush(output, bytes, length)) {
      flush_ready(host, stream);
    }
  } while (taken < length && output->end - output->begin < CAPACITY);
  return taken;
}

int luge_output_ready(luge_host *host, enum luge_stream stream) {
  if (!luge__usable(host) || host->calling > 0 || stream < LUGE_STDOUT ||
      stream > LUGE_STDERR) {
    return LUGE_INVALID;
  }
  flush_ready(host, stream);
  luge__turns_wake(&luge__output(host, stream)->writers);
  return LUGE_OK;
}
