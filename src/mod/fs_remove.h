/* Removing files and directories, on a thread of the pool. */
#ifndef LUGE_MOD_FS_REMOVE_H
#define LUGE_MOD_FS_REMOVE_H

#include "../core/place.h"
#include "job.h"

/* Removes a file, or a directory with all that is below. Never follows symbolic
 * links, even ones that appear meanwhile. Returns 0 or an errno: ECANCELED once
 * the job is abandoned. */
int luge__fs_remove_tree(const struct luge_job *job,
                         const struct luge_place *place);

#endif
