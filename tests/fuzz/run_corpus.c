/* Runs a fuzz target on every file of a directory, its corpus, so that what
 * the fuzzer once found stays tested where there is no fuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_hidden(const struct dirent *entry) {
  return entry->d_name[0] == '.';
}

/* The input is a block of its exact size: reading past it is caught. */
static int run_stream(FILE *file) {
  if (fseek(file, 0, SEEK_END) != 0) {
    return -1;
  }
  long size = ftell(file);
  if (size < 0) {
    return -1;
  }
  rewind(file);
  uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
  if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size) {
    free(data);
    return -1;
  }
  LLVMFuzzerTestOneInput(data, (size_t)size);
  free(data);
  return 0;
}

static int run_file(const char *directory, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE *file = fopen(path, "rb");
  int result = file != NULL ? run_stream(file) : -1;
  if (result != 0) {
    perror(path);
  }
  if (file != NULL) {
    fclose(file);
  }
  return result;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  DIR *directory = opendir(argv[1]);
  if (directory == NULL) {
    perror(argv[1]);
    return 1;
  }
  int failures = 0;
  int count = 0;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (!is_hidden(entry)) {
      failures += run_file(argv[1], entry->d_name) != 0;
      count++;
    }
  }
  closedir(directory);
  printf("%d inputs\n", count);
  return failures > 0 || count == 0;
}
