/* Whole reads and writes on descriptors, for threads of the pool: an errno or
 * 0. Those that take a job give up, with ECANCELED, once it is abandoned. */
#ifndef LUGE_MOD_FS_IO_H
#define LUGE_MOD_FS_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "job.h"

/* Reads until the buffer is full or the file has ended. `offset` is where; -1
 * for what has no position, such as a pipe: then one piece is enough.
 * Descriptors may be O_NONBLOCK: what a FIFO or a terminal does not have yet is
 * waited for. */
int luge__fs_read_full(const struct luge_job *job, int fd, char *buffer,
                       size_t size, int64_t offset, size_t *count);

int luge__fs_write_full(const struct luge_job *job, int fd, const char *bytes,
                        size_t size, int64_t offset);

/* Closes it; returns also errors of earlier writes that show only now. */
int luge__fs_close(int fd);

#endif
