#include "setup_plan.h"

#include "ask.h"

#include <stdio.h>

/* NULL, with a line in error_r: it did not answer. */
static json_t *ask_reload(const char *runtime_directory, char *error_r, size_t size)
{
    json_t *nothing = json_object();
    json_t *answer = ask_json(runtime_directory, "reload", nothing, error_r, size);
    json_decref(nothing);
    return answer;
}

static void say(const json_t *answer, const char *error)
{
    const char *why = json_string_value(json_object_get(answer, "why"));
    if (answer == NULL)
        setup_complain("posternd has not yet taken the change up: %s; see posternctl status",
                       error);
    else if (json_is_true(json_object_get(answer, "done")))
        printf("posternd has read its configuration and Postfix's again.\n");
    else
        setup_complain("posternd goes on with the configuration it has: %s",
                       why != NULL ? why : "it is stopping");
}

void setup_tell_posternd(const struct setup_plan *plan, bool aloud)
{
    const char *runtime_directory = config_runtime_directory(plan->config);
    char error[512] = "";
    if (ask_whom(runtime_directory) == 0)
        return;
    fflush(stdout);
    json_t *answer = ask_reload(runtime_directory, error, sizeof(error));
    if (aloud)
        say(answer, error);
    json_decref(answer);
}
