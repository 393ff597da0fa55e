/* What systemd is told, when it has started us: sd_notify(3). */
#include "daemon_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "build.h"

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>

static void tell(const char *what)
{
    sd_notify(0, what);
}

static uint64_t patience(void)
{
    uint64_t usec = 0;

    return sd_watchdog_enabled(0, &usec) > 0 ? usec : 0;
}
#else
static void tell(const char *what)
{
    (void)what;
}

static uint64_t patience(void)
{
    return 0;
}
#endif

void notify_begin(struct daemon *daemon)
{
    daemon->notify = (struct notify){.every = (int64_t)(patience() / 2000)};
}

void notify_beat(struct daemon *daemon, int64_t now)
{
    struct notify *notify = &daemon->notify;

    if (notify->every == 0 || (now >= notify->last && now < notify->last + notify->every))
        return;
    notify->last = now;
    tell("WATCHDOG=1");
}

static const char *doing(const struct daemon *daemon)
{
    if (daemon->store_fails)
        return "the state cannot be written; trying again";
    return daemon->caught_up ? "following the log" : "reading the log";
}

static const char *reserve(const struct daemon *daemon)
{
    if (!daemon->connected)
        return "; Postfix is not connected: observing only";
    return config_enforce(daemon->config) ? "" : "; enforce = false: observing only";
}

void notify_state(struct daemon *daemon)
{
    struct notify *notify = &daemon->notify;
    char text[sizeof(notify->text)];
    bool ready = !notify->ready && !daemon->store_fails;

    snprintf(text, sizeof(text), "%sSTATUS=%s%s", ready ? "READY=1\n" : "", doing(daemon),
             reserve(daemon));
    if (strcmp(text, notify->text) == 0)
        return;
    memcpy(notify->text, text, sizeof(text));
    tell(text);
    notify->ready |= ready;
}

/* systemd 253 and later, with Type=notify-reload, want to know when. */
void notify_reloading(struct daemon *daemon)
{
    struct timespec now = {0, 0};
    char text[96];

    if (!daemon->notify.ready)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
             (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    tell(text);
    daemon->notify.ready = false;
    daemon->notify.text[0] = '\0';
}

void notify_stopping(void)
{
    tell("STOPPING=1");
}
