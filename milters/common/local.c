#include "local.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "log.h"
#include "postfix.h"

static void add_mynetworks(struct networks *networks, const struct config *config)
{
    char error[512];
    struct postfix *postfix = postfix_open(config_postfix_directory(config), error, sizeof(error));

    if (postfix == NULL)
        log_warning("%s: only authenticated clients get reports; set early_ndr.networks", error);
    else if (networks_add_list(networks, postfix_mynetworks(postfix)) > 0)
        log_warning("mynetworks names files or tables, which are left out: set early_ndr.networks");
    postfix_free(&postfix);
}

struct networks *local_networks(const struct config *config)
{
    struct networks *networks = networks_new();

    if (networks == NULL)
        return NULL;
    for (size_t i = 0; i < config_early_network_count(config); i++)
        networks_add(networks, slice_of(config_early_network_at(config, i)));
    if (config_early_network_count(config) == 0)
        add_mynetworks(networks, config);
    return networks;
}

bool local_has(const struct confref *conf, const _SOCK_ADDR *address)
{
    char text[INET6_ADDRSTRLEN];
    const void *bytes = NULL;
    struct network client;

    if (address && address->sa_family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    else if (address && address->sa_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    return bytes && inet_ntop(address->sa_family, bytes, text, sizeof(text)) &&
           network_parse_address(slice_of(text), &client) &&
           networks_have(confref_local(conf), &client);
}
