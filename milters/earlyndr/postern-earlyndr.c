/* postern-earlyndr: the sender learns of a bad address in seconds, and exactly once. */
#include "earlyndr.h"

int main(int argc, char **argv)
{
    return milter_main(argc, argv, &earlyndr_program);
}
