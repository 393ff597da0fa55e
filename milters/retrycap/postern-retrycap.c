/* postern-retrycap: the sender learns at once that a destination cannot be reached. */
#include "retrycap.h"

int main(int argc, char **argv)
{
    return milter_main(argc, argv, &retrycap_program);
}
