/* See signals.h. What the handlers share with the rest are flags; what they
 * call (luge_interrupt, uv_async_send, _exit) may be called from handlers. */
#include "signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include <uv.h>

#include "editor.h"
#include "report.h"

static luge_host *volatile the_host;
static pthread_t main_thread; /* on which the host runs */
static uv_async_t wakeup;
static volatile sig_atomic_t stop_signal;
static volatile sig_atomic_t turned;      /* the loop, since the last look */
static volatile sig_atomic_t wants_tasks; /* SIGUSR1 came */

static char time_is_up[64]; /* the message of --timeout */

/* At the prompt SIGINT stops what runs, and not the command. */
static void (*volatile asker)(void);
static volatile sig_atomic_t asked; /* SIGINT came, and the loop did not turn */
static volatile sig_atomic_t interrupted; /* what ran was, for that */

/* How many seconds a script may keep the loop from turning after a signal
 * before it is interrupted. If it goes on so, half as many each time, since
 * there may be many tasks that do. If so many interruptions, two seconds of
 * them, have not helped, a C function or a finalizer is running, which no
 * interruption reaches. */
static const double PATIENCE = 0.1, LEAST_PATIENCE = 0.005;
enum { HOPELESS = 400 };
static volatile sig_atomic_t in_vain; /* interruptions, without a turn */

/* The host while it is being closed after a stop, and how many seconds what is
 * at work on other threads then has left: a disk may not answer. */
static luge_host *volatile closing_host;
static const double LAST_PATIENCE = 0.5;

static void set_time(struct timeval *time, double seconds) {
  const double longest = 1e9;
  seconds = seconds < longest ? seconds : longest;
  time->tv_sec = (time_t)seconds;
  time->tv_usec = (suseconds_t)((seconds - (double)time->tv_sec) * 1e6);
  if (seconds > 0 && time->tv_sec == 0 && time->tv_usec == 0) {
    time->tv_usec = 1; /* 0 would mean never */
  }
}

/* Only the host's own thread can interrupt it; libuv has others. */
static bool redirect(int signal_number) {
  bool elsewhere = !pthread_equal(pthread_self(), main_thread);
  if (elsewhere) {
    pthread_kill(main_thread, signal_number);
  }
  return elsewhere;
}

static void wake(void) {
  if (the_host != NULL) {
    uv_async_send(&wakeup);
  }
}

/* setitimer is a plain system call, fit for handlers. */
static void set_timer(int which, double seconds, double interval) {
  struct itimerval timer = {{0, 0}, {0, 0}};
  set_time(&timer.it_value, seconds);
  set_time(&timer.it_interval, interval);
  setitimer(which, &timer, NULL);
}

static void start_timer(double seconds) {
  set_timer(ITIMER_REAL, seconds, 0);
}

static double patience(void) {
  double seconds = PATIENCE;
  for (int i = 0; i < in_vain && seconds > LEAST_PATIENCE; i++) {
    seconds /= 2;
  }
  return seconds;
}

/* The messages are fixed texts: handlers cannot format. */
static void end_at_once(int signal_number) {
  cli_editor_reset_terminal();
  if (signal_number == SIGALRM) {
    ssize_t ignored = write(STDERR_FILENO, time_is_up, strlen(time_is_up));
    (void)ignored;
  }
  _exit(signal_number == SIGALRM ? 124 : 128 + signal_number);
}

/* Interrupts a script that keeps the loop from turning; and again while that
 * goes on, because the script may catch the error, its handlers may not end, or
 * the next task may do the same. */
static void insist(void) {
  if (turned) {
    in_vain = 0;
  } else if (++in_vain > HOPELESS) {
    end_at_once(stop_signal);
  } else {
    luge_interrupt(the_host);
  }
}

/* The handlers of tasks may take their time, but nothing else: what has not
 * been acknowledged may be lost. luge_usage only reads. */
static void end_unless_tasks_live(void) {
  struct luge_usage usage = {.size = sizeof usage};
  if (luge_usage(closing_host, &usage) == LUGE_OK && usage.tasks == 0) {
    end_at_once(stop_signal);
  }
  start_timer(LAST_PATIENCE);
}

/* The loop is woken, to cancel the main task. */
static void on_alarm(int signal_number) {
  int error = errno;
  if (redirect(signal_number)) {
    return;
  }
  if (closing_host != NULL) {
    end_unless_tasks_live();
  } else if (the_host != NULL) {
    if (stop_signal == 0) {
      stop_signal = signal_number;
    } else {
      insist();
    }
    turned = 0;
    start_timer(patience());
    wake();
  }
  errno = error;
}

/* The first one cancels the script. A second one, or one that comes while the
 * host is being closed, ends the process at once: the user has lost
 * patience. */
static void on_stop(int signal_number) {
  if (redirect(signal_number)) {
    return;
  }
  if (stop_signal != 0 || the_host == NULL) {
    end_at_once(signal_number);
  }
  on_alarm(signal_number);
}

/* SIGINT at the prompt: interrupts what computes and keeps the loop from
 * turning. The timer is the one of CPU time, since --timeout uses the other. */
static void on_ask(int signal_number) {
  int error = errno;
  if (!redirect(signal_number)) {
    asked = 1;
    interrupted = 0;
    set_timer(ITIMER_VIRTUAL, PATIENCE, PATIENCE);
    wake();
  }
  errno = error;
}

static void on_patience_over(int signal_number) {
  int error = errno;
  if (!redirect(signal_number)) {
    if (asked && the_host != NULL) {
      interrupted = 1;
      luge_interrupt(the_host);
    } else {
      set_timer(ITIMER_VIRTUAL, 0, 0);
    }
  }
  errno = error;
}

static void on_usr1(int signal_number) {
  int error = errno;
  (void)signal_number;
  wants_tasks = 1;
  wake();
  errno = error;
}

/* A handler, unlike SIG_IGN, is not inherited by the programs that a script
 * starts. */
static void on_failed_write(int signal_number) {
  (void)signal_number;
}

static void on_wakeup(uv_async_t *async) {
  (void)async;
  if (wants_tasks != 0) {
    wants_tasks = 0;
    cli_report_tasks(the_host);
  }
  turned = 1;
  if (asked != 0) {
    asked = 0;
    if (!interrupted) {
      asker();
    }
  }
  if (stop_signal != 0) {
    luge_cancel(the_host, stop_signal == SIGALRM  ? "the time is up"
                          : stop_signal == SIGINT ? "SIGINT"
                                                  : "SIGTERM");
  }
}

static void handle(int signal_number, void (*handler)(int), int flags) {
  struct sigaction action = {.sa_flags = flags};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(signal_number, &action, NULL);
}

/* The signal is for us, even if the parent process has blocked it. */
static void unblock(int signal_number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal_number);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* What the parent process has us ignore stays ignored, as nohup wants it.
 * Without SA_RESTART: a write to a slow reader is to be given up. */
static void handle_stop(int signal_number) {
  struct sigaction inherited;
  sigaction(signal_number, NULL, &inherited);
  if (inherited.sa_handler != SIG_IGN) {
    handle(signal_number, on_stop, 0);
  }
}

void cli_failed_writes(void) {
  handle(SIGPIPE, on_failed_write, SA_RESTART);
  handle(SIGXFSZ, on_failed_write, SA_RESTART);
}

bool cli_signals_start(luge_host *host, double timeout) {
  int status = uv_async_init(luge_loop(host), &wakeup, on_wakeup);
  if (status != 0) {
    fprintf(stderr, "luge: cannot watch for signals: %s\n",
            uv_strerror(status));
    return false;
  }
  uv_unref((uv_handle_t *)&wakeup);
  main_thread = pthread_self();
  the_host = host;
  unblock(SIGALRM);
  handle_stop(SIGINT);
  handle_stop(SIGTERM);
  handle(SIGUSR1, on_usr1, SA_RESTART);
  handle(SIGALRM, on_alarm, 0);
  snprintf(time_is_up, sizeof time_is_up,
           "luge: stopped after %g s (--timeout)\n", timeout);
  start_timer(timeout);
  return true;
}

void cli_signals_ask(void (*fn)(void)) {
  asker = fn;
  handle(SIGVTALRM, on_patience_over, 0);
  handle(SIGINT, on_ask, SA_RESTART);
}

void cli_signals_stop(void) {
  the_host = NULL;
  start_timer(0);
  if (asker != NULL) {
    set_timer(ITIMER_VIRTUAL, 0, 0);
    handle_stop(SIGINT);
  }
  uv_close((uv_handle_t *)&wakeup, NULL);
}

void cli_signals_close(luge_host *host) {
  bool stopped = stop_signal != 0;
  if (stopped) {
    luge_retain(host);
    closing_host = host;
    start_timer(LAST_PATIENCE);
  }
  luge_close(host);
  if (stopped) {
    closing_host = NULL;
    start_timer(0);
    luge_release(host);
  }
}

const char *cli_time_is_up(void) {
  return time_is_up;
}

int cli_stop_signal(void) {
  return stop_signal;
}
