/* Programs: what would be run for a name. */
#ifndef LUGE_CORE_PROGRAM_H
#define LUGE_CORE_PROGRAM_H

/* The path of the program `name`: looked for in this process's PATH if it has
 * no slash, else taken from `cwd` (NULL: the current directory) if it is
 * relative. Its directory is a real path; its last name is left, if it is a
 * link, since some programs do what they are called. malloc'ed; NULL: there is
 * none, or no memory. */
char *luge__program_find(const char *name, const char *cwd);

#endif
