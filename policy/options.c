#include "options.h"

#include <stdio.h>
#include <sysexits.h>

#include "build.h"

int options_common(int option, const char *program, const char *usage)
{
    if (option == 'V') {
        printf("%s %s\n", program, PACKAGE_VERSION);
        return EX_OK;
    }
    fputs(usage, option == 'h' ? stdout : stderr);
    return option == 'h' ? EX_OK : EX_USAGE;
}
