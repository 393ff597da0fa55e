#include "classify_parts.h"

/*
 * The patterns, in the notation of classify_pattern.h; those here begin and end with whole words. A
 * reply is about the number of recipients when a "split" row fits and no "other" row does; a "wait"
 * row tells that the number counts per time, or for us as a sender.
 */

/* Any text without an address in it. */
#define ANY ".*"
/* More than one of them; and what may be the first part of "recipient limit". */
#define MANY                                                                                       \
    "((recipient|rcpt|recpt|receiver|addressee)s|rcpt( to)?( commands?)?|recipient\\(s\\)|"        \
    "rcpt to'?s|(recipient|destination|to) addresses)"
#define ONE "(recipients?|recipient's|rcpts?|rcpt to|addressees?)"
/* What joins "maximum" and "recipients", or "exceeds" and "recipients". */
#define OF                                                                                         \
    "(of|on|for|to|is|are|the|your|our|its|a|an|this|any|total|number|count|amount|smtp|"          \
    "envelope|mail|e-?mail|message|transaction|session|connection|per|single|server|system|"       \
    "maximum|maximal|max\\.?|limits?|limitation|allowed|allowable|permitted|configured|"           \
    "acceptable|supported|[0-9]+)"
#define OVER                                                                                       \
    "(exceed(s|ed|ing)?|reached|reaches|hit|surpass(es|ed)?|over(flow(ed)?|run)?|above|"           \
    "violat(ed|ion)|too (many|large|high|big|much))"
#define MESSAGE "(message|mail|e-?mail|transaction|session|connection|envelope|delivery|submission)"
#define LIMIT "(limits?|limitation|maximum|max\\.?|maximal)"

static const struct classify_row ROWS[] = {
    /* Other: an enhanced code that says so (RFC 3463 sections 3.2 to 3.7). */
    {CLASSIFY_OTHER, "^[45][0-9][0-9][ -]#?[45]\\.(1\\.([12346]|10)|2\\.[0-9]+|3\\.4|6\\.[0-9]+)",
     "RFC 3463: address (X.1), mailbox (X.2), size (X.3.4) or content (X.6)"},
    {CLASSIFY_OTHER, "[45]\\.(1\\.([12346]|10)|2\\.[0-9]+|3\\.4|6\\.[0-9]+)",
     "qmail: the enhanced code at the end, (#5.1.1)"},

    /* Other: one recipient, or what is wrong with each of them. */
    {CLASSIFY_OTHER,
     "(user|recipient|mail ?box|address|account|addressee|alias|login|rcpt)(s|es|\\(s\\))? "
     "((is|was|are|were|name|has been|you entered) )?(un-?known|not found|in-?valid|in-?active|"
     "disabled|suspended|not known|non-?existent|not exist|unreachable|undeliverable|"
     "not deliverable|not "
     "local|expired|blocked|deactivated|closed|syntax|failed|failures?|errors?)",
     "Postfix, Sendmail, Exim: User unknown"},
    {CLASSIFY_OTHER,
     "(un-?known|in-?valid|non-?existent|non-?existing|bad|no such|in-?active|in-?correct|wrong|"
     "illegal|un-?deliverable|failed|failing|rejected|refused|unresolvable|mal-?formed|disabled|"
     "un-?routable|un-?verified|un-?authori[sz]ed|no valid|dead|forged|duplicate)( or [a-z-]+)? "
     "((local|virtual|mail|e-?mail|smtp|destination) )?(user|recipient|mail ?box|address|account|"
     "person|addressee|rcpt|alias|receiver)(s|es|\\(s\\))?",
     "Exim: Too many invalid recipients; Sendmail: Too many bad recipients"},
    {CLASSIFY_OTHER, "(does ?n.?t|does not|do not|don.?t) (exist|have an?|have any)",
     "SurgeMail: maximum 8 recipients listed below: ... doesn't have a account"},
    {CLASSIFY_OTHER, "recipients? (listed )?(below|rejected|refused|failed|bounced|not found)",
     "SurgeMail; bounce texts in replies"},
    {CLASSIFY_OTHER, "(no mail ?box|no account|no user|not our customer|moved to|has moved)",
     "replies about one recipient"},

    /* Other: a quota, or the size of the message or its parts. */
    {CLASSIFY_OTHER, "(over-?)?quotas?", "552 5.2.2 over quota"},
    {CLASSIFY_OTHER,
     "(mail ?box|inbox|folder|user|account|disk|is|storage) ((is|was) )?(now )?full",
     "552 mailbox full"},
    {CLASSIFY_OTHER,
     "(storage|disk ?space|insufficient (system |disk )?(space|resources)|mail ?box limit)",
     "RFC 5321: 552 Exceeded storage allocation"},
    {CLASSIFY_OTHER, "(message|mail|e-?mail|file|body|mailbox|header|line|attachments?) ?size",
     "552 5.3.4 Message size exceeds fixed limit"},
    {CLASSIFY_OTHER, "size (limit|exceed(s|ed)|(is )?too)", "message too large"},
    {CLASSIFY_OTHER,
     "(message|mail|e-?mail|file|body|data|header|headers|line|attachment) (is |are |was )?"
     "(much )?too (large|big|long)",
     "552 5.3.4 Error: message file too big"},
    {CLASSIFY_OTHER, "[0-9]+ ?([kmg]i?b|(kilo|mega)?bytes?|octets)", "a size in bytes"},

    /* Other: what is in the message; splitting does not change a header. */
    {CLASSIFY_OTHER,
     "((anti-?)?spam(my|ming|mer|like|-like)?|unsolicited|(anti-?)?virus(es)?|infected|malware|"
     "phish(ing)?|junk|attachments?|headers?|subject|mime|contents?)",
     "content filters"},

    /* Other: who we are, or what we may do. */
    {CLASSIFY_OTHER,
     "((black|block|deny|gr[ea]y) ?-?list(s|ed|ing)?|black ?-?holed|dns-?[bw]l|rbls?|rhsbl|"
     "spamhaus|spamcop|banned|reputation|abus(e|ive)|blocked)",
     "reputation of the client"},
    {CLASSIFY_OTHER, "(spf|dkim|dmarc|ptr|rdns|reverse dns|helo|ehlo)", "RFC 7208 and the like"},
    {CLASSIFY_OTHER, "polic(y|ies) (reasons?|violations?|rejections?|rejects?|restrictions?)",
     "550 5.7.1 rejected for policy reasons"},
    {CLASSIFY_OTHER,
     "((against|violat(es|ed|ing)|by|due to|because of)( [a-z]+)?|security) polic(y|ies)",
     "550 5.7.1 violates our policy"},
    {CLASSIFY_OTHER,
     "(relay(ing)?( access)? (is )?(denied|not (allowed|permitted)|prohibited)|unable to relay|"
     "authentication( is)? (required|failed)|access denied|not authori[sz]ed)",
     "Postfix: Relay access denied"},
    {CLASSIFY_OTHER, "(bounces?|bounce messages?|null sender|empty sender)",
     "Haraka and Exim: a bounce must have one recipient"},

    /* Wait: the number counts in a time. */
    {CLASSIFY_WAIT,
     "([0-9]+[ -]?)?(seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?)",
     "Cisco IronPort: 452 Too many recipients received this hour"},
    {CLASSIFY_WAIT,
     "[a-z0-9]*(/|-?per[ -]) ?([0-9]+ ?)?(s|sec|second|m|min|minute|h|hr|hour|d|day)",
     "milter-limit and postfwd: 100/h"},
    {CLASSIFY_WAIT, "[0-9]{1,3}(s|m|h|d)", "recipient rate limits"},
    {CLASSIFY_WAIT, "(hourly|daily|weekly|monthly|today|tomorrow)", "daily and hourly limits"},
    {CLASSIFY_WAIT, "in (such )?a short (time|period)", "recipient rate limits"},
    {CLASSIFY_WAIT, "([a-z]+-)?(rates?|rate-?limit(s|ed|ing)?|throttl(e|ed|ing)|velocity)",
     "recipient rate limits"},
    {CLASSIFY_WAIT, "(too (fast|quickly|frequent(ly)?|soon|often)|slow down)",
     "recipient rate limits"},

    /* Wait: the number counts for us as a sender. */
    {CLASSIFY_WAIT, "as([0-9]{4,9}|\\([0-9]+\\))",
     "Exchange Online: 4.5.3 Too many recipients (AS780090)"},
    {CLASSIFY_WAIT, "recipients (have been |were )?received",
     "Cisco IronPort: Too many recipients received from the sender"},
    {CLASSIFY_WAIT, "many recipients (from|by)",
     "Postfix smtpd_client_recipient_rate_limit: Error: too many recipients from 192.0.2.1"},
    {CLASSIFY_WAIT,
     "(for|by|of|from) ((this|the|your|that) )?((sending|source|client|sender) )?(sender|ip|"
     "ip address|host|client|network|tenant|login|organi[sz]ation|account|user)",
     "limits for a sender"},
    {CLASSIFY_WAIT, "(tenant|outbound|external recipient) (recipient )?limits?",
     "Exchange Online: 550 5.7.233 tenant external recipient rate limit"},

    /* Split: too many of them. */
    {CLASSIFY_SPLIT,
     "too many ((smtp|envelope|message|mail|e-?mail|local|remote|external|internal|total|different|"
     "simultaneous|concurrent|more|to|cc|bcc|intended|specified|distinct) )*" MANY,
     "Postfix, Sendmail, Exim, Exchange, qmail, OpenSMTPD, IBM z/OS, NTT docomo"},
    {CLASSIFY_SPLIT, "too much (recipients|rcpts?|rcpt tos?|addressees)",
     "too many, in other words"},

    /* Split: a maximum, a limit, a number or a count of them. */
    {CLASSIFY_SPLIT, LIMIT "( " OF ")* " MANY "( " OF ")* " ANY OVER,
     "go-smtp: 552 5.5.3 Maximum limit of 50 recipients reached"},
    {CLASSIFY_SPLIT, OVER "( " OF ")* (number|count|amount|total|" LIMIT "|[0-9]+)( " OF ")* " MANY,
     "552 exceeds the maximum number of recipients"},
    {CLASSIFY_SPLIT,
     LIMIT "( " OF ")* " MANY "( (is|are|of|per|in|that|allowed|permitted)|:|=|,| ?\\()",
     "Exchange: limits the number of recipients that can be addressed in a single message"},
    {CLASSIFY_SPLIT, ONE "[ -](count|total|limits?|limitation|maximum|max\\.?)" ANY OVER,
     "Amazon SES: 554 Transaction failed: Recipient count exceeds 50."},
    {CLASSIFY_SPLIT, ONE "[ -](number|amount) (is |has )?" OVER, "recipient number exceeds"},
    {CLASSIFY_SPLIT, ONE "[ -]" LIMIT "( (is|of))*( |:|=|\\()+[0-9]+", "recipient limit (50)"},
    {CLASSIFY_SPLIT,
     OVER "( " OF ")* (per[ -][a-z]+ )?" ONE "([ -]per[ -][a-z]+)?[ -](count|total|number|" LIMIT
          ")",
     "552 you exceeded the recipient limit"},
    {CLASSIFY_SPLIT,
     "number (of )?((total|envelope|smtp) )*" MANY " " ANY "(" OVER "|" LIMIT
     "|limited|more than|not (allowed|permitted|accepted)|restricted)",
     "the number of recipients exceeds the limit"},
    {CLASSIFY_SPLIT,
     MANY " (allowed |permitted |accepted |in |for )*(per|an|a single|a|one|each|this|the same)[ -]"
          "((smtp|single|one|mail) )*" MESSAGE " " ANY OVER,
     "ContactLab: 452 4.5.3 recipients per message limit reached"},

    /* Split: the number itself. */
    {CLASSIFY_SPLIT,
     "(only|at most|up to|limited to|" LIMIT "( is| of|:)?|accept(s|ed)?( only)?|than|"
     "exceed(s|ed|ing)?|over|allowed) ?[0-9]+ " MANY,
     "552 no more than 50 recipients"},
    {CLASSIFY_SPLIT, "no (more|further|additional) " MANY, "452 no more recipients"},
    {CLASSIFY_SPLIT,
     "[0-9]+ " MANY "( is| are)?( the)? (" LIMIT "|allowed|permitted|only|per " MESSAGE
     "|at a time|at once|exceeded)",
     "50 recipients per message"},
    {CLASSIFY_SPLIT, "[0-9]+ " MANY ANY "(" LIMIT "|" OVER ")", "120 recipients, limit is 100"},

    /* Split: one at a time. */
    {CLASSIFY_SPLIT,
     "(only|just|at most|more than|a single) (one|1|a single|single) (rcpt|recipient|rcpt to|"
     "addressee)",
     "452 only one recipient at a time"},
    {CLASSIFY_SPLIT, "(one|1|single) (rcpt|recipient|addressee)s? (at a time|per " MESSAGE ")",
     "one recipient per transaction"},
    {CLASSIFY_SPLIT,
     "(multiple|so many|this many|that many) (rcpt|rcpt to|recipient|addressee)s?"
     "( address(es)?| commands?)? (are |is )?(not|un-?supported|forbidden|prohibited)",
     "multiple recipients not allowed"},
    {CLASSIFY_SPLIT,
     "(not|doesn'?t|don'?t|cannot|can'?t) (support|accept|allow|handle|permit|take) "
     "(multiple|several|so many|that many|this many) " MANY,
     "does not support multiple recipients"},

    /* Split: what to do about it. */
    {CLASSIFY_SPLIT, ONE " " ANY "(separate|another|different|new) (smtp |mail )?transactions?",
     "Gmail: 452 4.5.3 Domain policy size per transaction exceeded, please try this recipient in a "
     "separate transaction"},
    {CLASSIFY_SPLIT,
     "(multiple|different|several|mixed) ((destination|recipient|rcpt) )?domains? "
     "(per|in (one|a|a single|the same)) (transaction|message|session)",
     "Gmail: 451 4.3.0 Multiple destination domains per transaction is unsupported"},
    {CLASSIFY_SPLIT,
     "(reduce|decrease|lower|limit|split)( up)?( the| your)?( (number|amount|count|list))?( of)?"
     "( your| the)? " MANY,
     "Office 365: 5.5.3 Reduce number of recipients in message and resend"},
    {CLASSIFY_SPLIT, "(fewer|less) " MANY, "send to fewer recipients"},

    /* Split: the enhanced code, where the words name recipients at all. */
    {CLASSIFY_SPLIT, "^[45][0-9][0-9][ -]#?[45]\\.5\\.3 " ANY MANY,
     "RFC 3463: X.5.3 too many recipients"},

    /* Split: the same in other languages; Postfix writes '?' for what it does not print. */
    {CLASSIFY_SPLIT, "zu viele (Empf[^ ]{1,4}nger|Adressaten)", "German"},
    {CLASSIFY_SPLIT,
     "anzahl (an |der |von )?Empf[^ ]{1,4}ngern? " ANY "("
     "berschr|erreicht|begrenzt)[a-z]*",
     "German"},
    {CLASSIFY_SPLIT, "trop de (destinataires|r[^ ]{1,4}cipiendaires)", "French"},
    {CLASSIFY_SPLIT, "nombre (maximum |maximal )?de destinataires", "French"},
    {CLASSIFY_SPLIT, "demasiados (destinatarios|receptores)", "Spanish"},
    {CLASSIFY_SPLIT, "(muitos|excesso de|demasiados) destinat[^ ]{1,4}rios", "Portuguese"},
    {CLASSIFY_SPLIT, "troppi destinatari", "Italian"},
    {CLASSIFY_SPLIT, "te veel (geadresseerden|ontvangers)", "Dutch"},
    {CLASSIFY_SPLIT, "zbyt (wiele|wielu) (adresat[^ ]{1,4}w|odbiorc[^ ]{1,4}w)", "Polish"},
};

const struct classify_row *classify_row_at(size_t index)
{
    return index < sizeof(ROWS) / sizeof(ROWS[0]) ? &ROWS[index] : NULL;
}
