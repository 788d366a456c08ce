/* Compiles Lua modules, or other texts, in: writes a C file with each of them,
 * packed by zlib, as src/embedded.h declares it. Runs during the build.
 *
 *   embed OUTPUT DIRECTORY LIST TABLE
 *
 * LIST is a file with the paths of the modules, separated by semicolons.
 * DIRECTORY/luge/init.lua is "luge", DIRECTORY/luge/internal/x.lua is
 * "luge.internal.x". Lines of comment are left empty, so that the other lines
 * keep their numbers; indentation goes. Files that are no Lua are taken as they
 * are. TABLE is the name of the table in C. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MAX_MODULES = 1024, MAX_NAME = 256 };

struct module {
  char name[MAX_NAME];
  const char *path;
  size_t length, packed; /* of the text, and of that packed */
};

static void fail(const char *what, const char *path) {
  fprintf(stderr, "embed: %s: %s\n", path, what);
  exit(EXIT_FAILURE);
}

static char *read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
    fail("cannot be read", path);
  }
  long size = ftell(file);
  rewind(file);
  char *text = malloc((size_t)size + 1);
  if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size) {
    fail("cannot be read", path);
  }
  fclose(file);
  text[size] = '\0';
  *length = (size_t)size;
  return text;
}

/* The path below the directory, without its extension and /init, with dots. */
static void set_name(struct module *module, const char *directory) {
  const char *below = module->path + strlen(directory) + 1;
  const char *extension = strrchr(below, '.');
  size_t length = extension != NULL ? (size_t)(extension - below) : 0;
  if (length == 0 || length >= MAX_NAME) {
    fail("not the name of a module", module->path);
  }
  memcpy(module->name, below, length);
  module->name[length] = '\0';
  for (char *c = module->name; *c != '\0'; c++) {
    *c = *c == '/' ? '.' : *c;
  }
  char *init = strstr(module->name, ".init");
  if (init != NULL && init[5] == '\0') {
    *init = '\0';
  }
}

static int compare(const void *a, const void *b) {
  return strcmp(((const struct module *)a)->name,
                ((const struct module *)b)->name);
}

/* Splits the list, sorts by name; returns how many there are. */
static size_t find_modules(struct module *modules, char *list,
                           const char *directory) {
  size_t count = 0;
  for (char *path = strtok(list, ";\r\n"); path != NULL && count < MAX_MODULES;
       path = strtok(NULL, ";\r\n")) {
    modules[count].path = path;
    set_name(&modules[count++], directory);
  }
  qsort(modules, count, sizeof *modules, compare);
  for (size_t i = 1; i < count; i++) {
    if (strcmp(modules[i].name, modules[i - 1].name) == 0) {
      fail("another file makes the same module", modules[i].path);
    }
  }
  return count;
}

static bool is_lua(const char *path) {
  const char *extension = strrchr(path, '.');
  return extension != NULL && strcmp(extension, ".lua") == 0;
}

/* The end of the code of a line that ends at `end`: a comment behind it goes,
 * unless it may be part of a string, whose end then follows. */
static const char *end_of_code(const char *line, const char *end) {
  for (const char *at = end; at - line >= 3; at--) {
    if (strchr("\"'[]", at[-1]) != NULL) {
      break;
    }
    if (strncmp(at - 3, " --", 3) == 0) {
      return at - 3;
    }
  }
  return end;
}

/* Takes out comments, and indentation unless it may be a string's; in place.
 * Returns the new length. */
static size_t strip(char *text, const char *path) {
  bool has_long_strings = strstr(text, "[[") != NULL;
  char *out = text;
  if (strstr(text, "--[[") != NULL || strstr(text, "--[=") != NULL) {
    fail("comments of several lines are not taken out", path);
  }
  for (char *line = text; *line != '\0';) {
    char *end = strchr(line, '\n');
    char *next = end != NULL ? end + 1 : line + strlen(line);
    const char *stop = next;
    char *code = line + strspn(line, " \t");
    if (code[0] == '-' && code[1] == '-') {
      *out++ = '\n';
    } else {
      if (has_long_strings) {
        code = line;
      } else if (end != NULL) {
        stop = end_of_code(code, end);
      }
      memmove(out, code, (size_t)(stop - code));
      out += stop - code;
      if (stop != next) {
        *out++ = '\n';
      }
    }
    line = next;
  }
  return (size_t)(out - text);
}

/* Writes the packed text as elements of an array; sets the module's lengths. */
static void write_module(FILE *output, struct module *module) {
  size_t length;
  char *text = read_file(module->path, &length);
  if (is_lua(module->path)) {
    length = strip(text, module->path);
  }
  uLongf packed = compressBound((uLong)length);
  unsigned char *bytes = malloc(packed);
  if (bytes == NULL || compress2(bytes, &packed, (const unsigned char *)text,
                                 (uLong)length, Z_BEST_COMPRESSION) != Z_OK) {
    fail("cannot be compressed", module->path);
  }
  fprintf(output, "\n  /* %s */", module->name);
  for (uLongf i = 0; i < packed; i++) {
    fprintf(output, "%s%u,", i % 20 == 0 ? "\n  " : "", bytes[i]);
  }
  module->length = length;
  module->packed = packed;
  free(bytes);
  free(text);
}

/* One array of them all: each of its own would be aligned. */
static void write_packed(FILE *output, struct module *modules, size_t count) {
  fprintf(output, "static const unsigned char packed[] = {");
  for (size_t i = 0; i < count; i++) {
    write_module(output, &modules[i]);
  }
  fprintf(output, "\n};\n\n");
}

static void write_table(FILE *output, const char *table,
                        const struct module *modules, size_t count) {
  size_t at = 0;
  fprintf(output,
          "extern const struct luge_embedded %s[];\n"
          "extern const unsigned long %s_count;\n\n"
          "const struct luge_embedded %s[] = {\n",
          table, table, table);
  for (size_t i = 0; i < count; i++) {
    fprintf(output, "  {\"%s\", packed + %zu, %zu, %zu},\n", modules[i].name,
            at, modules[i].packed, modules[i].length);
    at += modules[i].packed;
  }
  fprintf(output,
          "  {NULL, NULL, 0, 0}};\n\n"
          "const unsigned long %s_count = %zu;\n",
          table, count);
}

int main(int argc, char **argv) {
  static struct module modules[MAX_MODULES];
  if (argc != 5) {
    fail("takes OUTPUT DIRECTORY LIST TABLE", "usage");
  }
  size_t size;
  char *list = read_file(argv[3], &size);
  size_t count = find_modules(modules, list, argv[2]);
  FILE *output = fopen(argv[1], "wb");
  if (output == NULL) {
    fail("cannot be written", argv[1]);
  }
  fprintf(output, "/* Made by cmake/embed.c. */\n"
                  "#include \"embedded.h\"\n\n#include <stddef.h>\n\n");
  write_packed(output, modules, count);
  write_table(output, argv[4], modules, count);
  free(list);
  return fclose(output) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
