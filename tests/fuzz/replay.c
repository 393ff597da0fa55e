/*
 * Stands in for libFuzzer's main: gives each file named on the command line to the fuzz target it
 * is linked with, so that `make check` runs the seeds with any compiler.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A seed is small; what is behind this is not read. */
enum { SEED_MAX = 1 << 20 };

static int replay(const char *path)
{
    static uint8_t data[SEED_MAX];
    FILE *in = fopen(path, "rb");
    size_t size;

    if (in == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    size = fread(data, 1, sizeof(data), in);
    if (ferror(in)) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        fclose(in);
        return -1;
    }
    fclose(in);
    fprintf(stderr, "%s\n", path); /* the last one named is the one that failed */
    return LLVMFuzzerTestOneInput(data, size);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE...\n", argv[0]);
        return EXIT_FAILURE;
    }
    for (int i = 1; i < argc; i++)
        if (replay(argv[i]) != 0)
            return EXIT_FAILURE;
    printf("%d seeds\n", argc - 1);
    return EXIT_SUCCESS;
}
