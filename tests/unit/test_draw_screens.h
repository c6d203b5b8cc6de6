/*
 * The screens that test_draw.c expects. One row of the screen is one row
 * here, so that they can be looked at; hence longer rows than elsewhere.
 */
/* clang-format off */

static const char first_80x24[] =
	" #lobby | nobody else yet                                           amber-otter\n"
	" ROOMS           |Welcome. You are amber-otter, key ..d0a1c31e.\n"
	"*1 lobby         |Others here see this name and key. /name NEW changes it.\n"
	"                 |\n"
	"                 |[ok]   listening     192.168.1.20 tcp 4001\n"
	"                 |[ok]   LAN discovery avahi on eth0\n"
	"                 |[..]   people        looking\n"
	"                 |\n"
	"-----------------|Nobody yet. Run it on a second machine here, or type\n"
	" HERE 0          |  /connect IP:PORT  to reach one that you know\n"
	"                 |  /help             for everything else, or press F1\n"
	"                 |What you type now is kept and sent when someone comes.\n"
	"                 |\n"
	"                 |\n"
	"                 |\n"
	"                 |\n"
	"                 |\n"
	"                 |\n"
	"                 |\n"
	"                 |\n"
	"                 |\n"
	"                 |\n"
	" 0 direct 0 relayed | nothing waiting | F1 help\n"
	" #lobby>\n";

static const char busy_80x24[] =
	" #lobby | 3 here                                                    amber-otter\n"
	" ROOMS           |Welcome. You are amber-otter, key ..d0a1c31e.\n"
	"*1 lobby         |Others here see this name and key. /name NEW changes it.\n"
	" 2 dev         @2|\n"
	" 3 music        7|[ok]   listening     192.168.1.20 tcp 4001\n"
	"                 |[ok]   LAN discovery avahi on eth0\n"
	"                 |[..]   people        looking\n"
	"                 |\n"
	"-----------------|Somebody is here: type, and press Enter. F1 is help.\n"
	" HERE 3          |------------------------- Thu 20 Nov -------------------------\n"
	" mali       0.4ms|12:02  mali      morning! is the printer on?\n"
	" tom         12ms|12:03  tom       yes, I moved it next to the window. You may\n"
	"!tom~77ab   relay|                 have to power it off and on once.\n"
	"                 |12:05  you     > thanks, that works\n"
	" ELSEWHERE       |12:06 !tom~77ab  who is this?\n"
	"?far~0001     12s|12:33  mali      this is all it says:\n"
	"                 |                 | lp0: paper out, retry 3\n"
	"                 |14:35 -- 3 people came (Alt-= shows each)\n"
	"                 |14:40  you     ? bringing paper\n"
	"                 |\n"
	"                 |\n"
	"                 |\n"
	" 3 direct 1 relayed | 1 waiting | @2:dev 3:music(7) | F1 help\n"
	" #lobby> and ink\n";

static const char busy_120x40[] =
	" #lobby | 3 here                                                                                            amber-otter\n"
	" ROOMS              |Welcome. You are amber-otter, key ..d0a1c31e.                             | HERE 3\n"
	"*1 lobby            |Others here see this name and key. /name NEW changes it.                  | mali             0.4 ms\n"
	" 2 dev            @2|                                                                          |   direct\n"
	" 3 music           7|[ok]   listening     192.168.1.20 tcp 4001                                | tom               12 ms\n"
	"                    |[ok]   LAN discovery avahi on eth0                                        |   direct\n"
	"                    |[..]   people        looking                                              |!tom~77ab          64 ms\n"
	"                    |                                                                          |   name clash, relayed\n"
	"                    |Somebody is here: type, and press Enter. F1 is help.                      |\n"
	"                    |------------------------------ Thu 20 Nov ------------------------------- | ELSEWHERE\n"
	"                    |12:02  mali      morning! is the printer on?                              |?far~0001           12 s\n"
	"                    |12:03  tom       yes, I moved it next to the window. You may have to      |   new, direct\n"
	"                    |                 power it off and on once.                                |\n"
	"                    |12:05  you     > thanks, that works                                       |\n"
	"                    |12:06 !tom~77ab  who is this?                                             |\n"
	"                    |12:33  mali      this is all it says:                                     |\n"
	"                    |                 | lp0: paper out, retry 3                                |\n"
	"                    |14:35 -- 3 people came (Alt-= shows each)                                 |\n"
	"                    |14:40  you     ? bringing paper                                           |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	"                    |                                                                          |\n"
	" 3 direct 1 relayed | 1 waiting | @2:dev 3:music(7) | F1 help\n"
	" #lobby> and ink\n";

static const char busy_40x12[] =
	" #lobby 3 here       @2:dev 3:music(7)\n"
	"  once.\n"
	"you > thanks, that works\n"
	"!tom~77ab 12:06\n"
	"  who is this?\n"
	"mali 12:33\n"
	"  this is all it says:\n"
	"  | lp0: paper out, retry 3\n"
	"-- 3 people came\n"
	"you ? bringing paper\n"
	" 3 direct 1 relayed | 1 waiting\n"
	"> and ink\n";

static const char busy_20x6[] =
	"  says:\n"
	"  | lp0: paper out,\n"
	"  retry 3\n"
	"-- 3 people came\n"
	"you ? bringing paper\n"
	"> and ink\n";

static const char busy_10x3[] =
	"  ging\n"
	"  paper\n"
	"> and ink\n";

static const char busy_9x2[] =
	".\n"
	"and ink\n";

static const char scripts_64x12[] =
	" #lobby | nobody else yet                           amber-otter\n"
	" ROOMS           |[ok] LAN discovery: avahi on eth0\n"
	"*1 lobby         |[..] people: looking\n"
	"                 |Nobody yet. What you type is kept and sent\n"
	"-----------------|when someone comes. F1 is help.\n"
	" HERE 0          |----------------- Thu 20 Nov -----------------\n"
	"                 |12:01  nok       สวัสดี|\n"
	"                 |12:02  wei       你好|\n"
	"                 |12:03  zoe       é|\n"
	"                 |12:04  kit       👍👨‍👩‍👧|\n"
	" 0 direct 0 relayed | nothing waiting | F1 help\n"
	" #lobby> ที่你\n";

static const char rooms_40x12[] =
	" #lobby 3 here       @2:dev 3:music(7)\n"
	" ROOMS                    |\n"
	"*1 lobby                  |\n"
	" 2 dev                  @2|\n"
	" 3 music                 7|\n"
	"                          |\n"
	"                          |\n"
	"                          |\n"
	"                          |\n"
	"                          |\n"
	" 3 direct 1 relayed | 1 waiting\n"
	"> and ink\n";

static const char people_40x12[] =
	" #lobby 3 here       @2:dev 3:music(7)\n"
	"  once.      | HERE 3\n"
	"you > thanks,| mali                0.4ms\n"
	"!tom~77ab 12:| tom                  12ms\n"
	"  who is this|!tom~77ab            relay\n"
	"mali 12:33   |\n"
	"  this is all| ELSEWHERE\n"
	"  | lp0: pape|?far~0001              12s\n"
	"-- 3 people c|\n"
	"you ? bringin|\n"
	" 3 direct 1 relayed | 1 waiting\n"
	"> and ink\n";
/* clang-format on */
