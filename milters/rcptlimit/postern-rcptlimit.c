/* postern-rcptlimit: a limit of recipients per transaction at our own door, answered as RFC 5321
 * wants. */
#include "rcptlimit.h"

int main(int argc, char **argv)
{
    return milter_main(argc, argv, &rcptlimit_program);
}
