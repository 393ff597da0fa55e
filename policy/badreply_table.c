#include "badreply_parts.h"

#define WHO                                                                                        \
    "user|users|username|userid|recipient|recipients|rcpt|mailbox|account|address|addressee|"      \
    "alias|person|customer"
/* Not the address: without an enhanced code "invalid address" may well be the sender's. */
#define WHOM                                                                                       \
    "user|username|userid|recipient|recipients|rcpt|mailbox|account|addressee|alias|customer"
#define NOT "not|cannot|cant|couldnt|isnt|wasnt|doesnt|dont|didnt"
#define IS "is|was|are|were|has|does|do|did|can|could|name|id|address|account|part"

/*
 * About something else, whatever the code says: 5.1.1 is what servers say who say only one thing.
 */
static const struct badreply_row OTHERS[] = {
    /* the sender */
    {"sender*|originator|mailfrom|submitter",
     "Postfix: Sender address rejected; Exim: Sender verify failed"},
    {"mail|mails|email|emails|message|messages|sent|envelope|coming from", "MAIL FROM, in words"},
    {"from address|domain|header|field|line", "the sender, in other words"},
    {"return|reverse path", "RFC 5321: the sender"},
    {"from a|an|the? unknown|invalid|non|nonexistent|unregistered", "the sender, in other words"},
    {"verif*|unverified|callout|callouts|callback|callbacks",
     "Exim: 550-Verification failed for <sender>"},
    {"call back|out|forward|ahead", "sender call-outs, in other words"},
    {"absender*|expediteur|exp|mittente|remitente|remetente|afzender|nadawca",
     "the sender, in other languages"},

    /* us */
    {"your|sending|source|remote|connecting "
     "ip|ips|host|hosts|client|isp|network|provider|range",
     "the client"},
    {"your smtp|mail|email|e? mail? "
     "server|servers|mta|host|domain|address|system|account|isp|provider|client|gateway",
     "the client"},
    {"your domain|network|connection|dns|reverse|ptr|message|organization|computer", "the client"},
    {"client|clients|ip|ips|peer", "Postfix: Client host rejected; Cox: IP rejected"},
    {"helo|ehlo|ptr|rdns|fcrdns|reverse|rhsbl", "what the client is called"},
    {"connect*", "the connection"},

    /* what we may do */
    {"spf|dkim|dmarc|arc|domainkeys|srs|batv|prvs", "RFC 7208 and the like"},
    {"auth*|login|logon|unauth*|tls|starttls|ssl|certificate|encrypt*",
     "RFC 4954: authentication required"},
    {"polic*|rule|rules|ruleset|acl|geoip|country|countries|region", "550 5.7.1 local policy"},
    {"preference*|restrict*|whitelist*|permission|permissions|privilege*",
     "Facebook: 550 5.1.1 Refused due to recipient preferences"},
    {"only accept*|accepts|accepting|receives", "recipients that know their senders"},
    {"refuses|refusing|wish|wishes|want|wants", "Sisimai: recipient refuses to accept your mail"},
    {"denied|deny|denies|denying|forbid*|prohibit*|permitted|allowed|disallow*|unallowed",
     "Office 365: Recipient address rejected: Access denied"},
    {"rcpthosts|badrcptto|badmailfrom|badrecipientto|validrcptto",
     "qmail and netqmail: control files that hold policy"},
    {"relaying|relayed|relays|openrelay", "Sendmail: Relaying denied"},
    {"relay "
     "access|not|denied|is|this|for|through|via|from|host|hosts|operation|operations|attempt|"
     "attempts|disabled|rejected|prohibited",
     "relaying"},
    {"to|not|no|cannot|cant|dont|wont|open|mail|smtp|an|a|we|illegal relay",
     "Exim: relay not permitted"},
    {"not configured to|for", "5.7.1 This system is not configured to relay mail"},
    {"member|members|subscribe*|unsubscribe*|moderat*", "mailing lists"},

    /* content and reputation */
    {"spam*|unsolicited|junk|bulk|ube|uce|virus*|malware|phish*|infected|trojan|worm",
     "content filters"},
    {"content*|attachment*|attached|header|headers|subject|mime|keyword*|url|urls",
     "content filters: 550 5.1.1 rejected due to content"},
    {"suspect*|suspicious|abus*|reputation|score*|scoring|filter*|antispam|firewall|security|"
     "protect*",
     "content filters"},
    {"detect*|violat*|complain*|fraud*|forged|forgery|spoof*|impersonat*|trap|spamtrap|honeypot",
     "content filters"},
    {"block|blocks|blocked|blocking|blocklist*|blacklist*|blackhole*|denylist*|banned|ban|bans",
     "block lists"},
    {"black|block|deny|grey|gray|white list|lists|listed|listing|holed", "block lists"},
    {"rbl*|dnsbl*|dnsrbl|dnswl|spamhaus|spamcop|sorbs|barracuda|surbl|uribl|senderbase|cloudmark",
     "block lists"},
    {"listed at|by|on|with|as", "Sendmail's dnsbl feature: rejected, listed at zen.spamhaus.org"},
    {"due to", "550 5.1.1 rejected due to content"},
    {"bounce*|backscatter|dsn|ndr|ndrs|autoreply|null|empty", "replies to bounces"},

    /* the mailbox, which exists */
    {"quota*|overquota|full|storage|space|exceed*|size|large|larger|big|limit|limits|limited|over|"
     "capacity",
     "Orange: 552 5.1.1 Recipient overquota"},
    {"disabl*|suspend*|inactiv*|deactiv*|unactiv*|locked|frozen|expired|dormant|hold|freeze",
     "iCloud: 550 5.1.1 inactive email address"},
    {"not active|activated|enabled|accepting|receiving", "the mailbox is disabled"},
    {"account|mailbox|user is|was|has? been? closed|unpaid", "the mailbox is disabled"},

    /* in a time, or for the time being */
    {"too many|much|fast|quickly|frequent*|often|busy",
     "Secureserver: 550 5.1.1 has sent to too many recipients this hour"},
    {"rate|rates|ratelimit*|throttl*|frequen*|hour*|daily|day|days|minute|minutes|seconds|excess*",
     "rate limits"},
    {"later|temporar*|busy|retry|greylist*|graylist*|grey*|gray*|defer*|wait|postpone*",
     "greylisting"},
    {"currently unavailable|disabled|not|unable|off|down", "qmail: mailbox currently unavailable"},
    {"dictionary|harvest*|attack*", "defences against address harvesting"},

    /* the server's own trouble */
    {"internal|misconfigur*|configuration|timeout|timed|outage|maintenance|overload*",
     "server trouble"},
    {"lookup|lookups|search|ldap|database|backend|directory "
     "failed|failure|error|errors|problem|down|unreachable",
     "server trouble"},
    {"dns|name|server error|errors|failure|timeout|problem|lookup|unreachable", "DNS trouble"},
    {"loop|loops|looping|hops", "a loop on their side"},

    /* a reply shown within the reply */
    {"reply to mail|data|end|ehlo|helo|lhlo|rset|connect", "Postfix address verification"},

    /* other languages; Postfix writes '?' for what it does not print */
    {"gesperrt|blockiert|verweigert|bloque|bloquee|bloqu|bloqueado|bloccato|pleine|piena|voll",
     "German, French, Spanish, Italian"},
};

/* Where the reply has no enhanced code. */
static const struct badreply_row BAD[] = {
    {WHO " " IS "? " IS "? unknown|unroutable|unrouteable|nonexistent|nonexistant|inexistent",
     "Sendmail, Postfix, Courier: User unknown"},
    {WHOM " " IS "? " IS "? invalid", "Mimecast-like gateways: Recipient invalid"},
    {WHO " " IS "? " IS "? un|non known|existent|existant|existing|routable|routeable",
     "the same, with a hyphen"},
    {WHO " " IS "? " NOT
         " be|been|a|an|in? found|exist|exists|existing|existent|known|recognized|recognised",
     "163.com: User not found; AOL: MAILBOX NOT FOUND"},
    {WHO " ... " NOT " exist|exists",
     "Dovecot: User doesn't exist; Exim: RCPT address does not exist"},
    {WHO " ... " NOT " be found", "user could not be found"},
    {WHOM " " IS "? not valid|present|ok", "recipient not valid"},
    {"no such local|virtual|mail|email|e? mail? " WHO "|person|here|box",
     "Exim (cPanel): No Such User Here; OpenVMS; GroupWise: No such recipient"},
    {"no such mail box|drop", "no such mail box"},
    {"no " WHOM "|person here|by|with|of|named|at|found",
     "qmail: sorry, no mailbox here by that name"},
    {"no mail box available|here|by", "no mail box available for this user"},
    {"no one|body by|with|of|at that|this", "there is no one at this address"},
    {"unknown local|mail|email|virtual|destination|remote|e? mail? " WHO "|person",
     "Exim, docomo, hMailServer: Unknown user"},
    {"unknown local part", "Exim: unknown local part"},
    {"invalid local|virtual|mail|destination? " WHOM,
     "OpenSMTPD, Mimecast: Invalid recipient; mail.ru: invalid mailbox"},
    {"unknown|invalid|bad or illegal|invalid|unknown|inactive|nonexistent local|virtual? " WHO,
     "Oracle Messaging Server: unknown or illegal alias"},
    {"non|un existent|existing|existant|known|routable|routeable " WHO,
     "QQ: a non-existent account"},
    {"nonexistent|nonexistant|nonexisting|unrouteable|unroutable|undefined " WHO,
     "Exim: Unrouteable address"},
    {"bad destination? mailbox|recipient address?", "RFC 3463: Bad destination mailbox address"},
    {"user doesnt|hasnt|not have|has? a|an? ... account",
     "Yahoo: This user doesn't have a yahoo.com account"},
    {"not our|ours customer|user", "Comcast: Not our Customer"},
    {"not a|an? known|valid|registered gateway|local|email|mail|e? " WHOM,
     "Yahoo: Not a valid recipient"},
    {"not a|an? known|registered|existing email|mail|e? address", "not a known address"},
    {"not listed|found|matched|present in ... directory|book",
     "Domino: User not listed in Domino Directory"},
    {"tried to reach does not exist", "Gmail, without its code"},
    {"resolver.adr.recipnotfound|resolver.adr.recipientnotfound|resolver.adr.exrecipnotfound|"
     "recipnotfound|recipientnotfound|userunknown",
     "Exchange: RESOLVER.ADR.RecipNotFound"},

    /* other languages */
    {"empf* nger? unbekannt|ung*", "German"},
    {"empf*|benutzer|adressat|adresse|postfach|mailbox nger? existiert|unbekannt nicht?", "German"},
    {"unbekannter|unbekannte empf*|benutzer|adresse|adressat", "German"},
    {"utilisateur|destinataire|adresse|compte inconnu|inconnue|inexistant|inexistante", "French"},
    {"adresse d au moins un destinataire invalide", "Orange: OFR_416"},
    {"utente|destinatario|casella sconosciuto|sconosciuta|inesistente", "Italian"},
    {"usuario|destinatario|buz* desconocido|inexistente", "Spanish"},
    {"no existe ese|dicha|el|la? usuario|persona|destinatario|cuenta", "Spanish"},
    {"usu*|destinat* rio? inexistente|desconhecido", "Portuguese"},
    {"nie ma takiego konta|adresu|u*", "Polish"},
    {"konto|adres|skrzynka nie istnieje", "Polish"},
};

/* What may stand anywhere in a name or URL. */
static const struct badreply_row LISTS[] = {
    {"spamhaus", "spamhaus.org"},
    {"spamcop", "bl.spamcop.net"},
    {"sorbs", "dnsbl.sorbs.net"},
    {"barracuda", "b.barracudacentral.org"},
    {"rbl", "names of DNS block lists"},
    {"dnsbl", "names of DNS block lists"},
    {"surbl", "multi.surbl.org"},
    {"uribl", "multi.uribl.com"},
    {"blocklist", "blocklist.de"},
    {"blacklist", "block lists"},
    {"blocked", "pages about blocks"},
    {"senderscore", "senderscore.org"},
    {"proofpoint.com", "ipcheck.proofpoint.com"},
    {"cloudmark", "csi.cloudmark.com"},
    {"reputation", "pages about reputation"},
    {"spam", "pages about spam"},
};

#define ROW_AT(rows, index) ((index) < sizeof(rows) / sizeof((rows)[0]) ? &(rows)[index] : NULL)

const struct badreply_row *badreply_other_at(size_t index)
{
    return ROW_AT(OTHERS, index);
}

const struct badreply_row *badreply_bad_at(size_t index)
{
    return ROW_AT(BAD, index);
}

const struct badreply_row *badreply_list_at(size_t index)
{
    return ROW_AT(LISTS, index);
}
