/*
 * How a drain is reserved and committed, so that a pool keeps its floor however many
 * clients drain at once.  The steps have the names of the code: reserve, commit, withdraw
 * and expire are what a server does (daemon/reservation.h), look is what a client does in
 * between.
 *
 * With -DFAILURES requests and replies get lost or come late, reservations expire and
 * servers start anew at any moment, clients die at any moment and forget all: and never are
 * fewer servers left than the floor.  Without, nothing fails, and somebody commits again
 * and again.  Each of the other -D leaves out one rule, and must be found to break one of
 * the two promises; test_protocol.py has the list.
 *
 * There is no time in it: what may happen at some time may happen at any time.  Nor are
 * there numbers in the tokens: one is good while its reservation holds, and never again.
 */
#ifndef SERVERS
#define SERVERS 3
#define CLIENTS 2
#define FLOOR 2
#endif
#ifndef LATE
#define LATE 1 /* requests under way for whose reply nobody waits any more */
#endif

/* A server: who has reserved it (client + 1, or 0), which is in memory only; and on disk, a
 * bit for each client whose drain is in force. */
byte holder[SERVERS];
byte drains[SERVERS];

/* What a client knows: the server that it is to drain, and a token for it. */
#define NO_TOKEN 0
#define GOOD 1
#define BAD 2 /* which it does not know before it tries */
byte chosen[CLIENTS];
byte mine[CLIENTS];

#define RESERVE 1
#define COMMIT 2
byte late_what[LATE]; /* 0: none */
byte late_who[LATE];
byte late_server[LATE];
byte late_token[LATE];

byte k, out; /* of one step; 0 between them */

/* ---- what a server does, each in one step ---- */

/* The reply is a token, or none: reserved by another.  A repetition gets the same one, as
 * the first reply may be lost. */
inline reserve(c, s, reply)
{
	if
	:: holder[s] == 0 || holder[s] == c + 1 ->
		holder[s] = c + 1;
		reply = GOOD
	:: else -> reply = NO_TOKEN
	fi
}

/* Its time is over, or the server was started anew; or it was withdrawn or committed. */
inline expire(s)
{
	d_step {
		holder[s] = 0;
		for (k : 0 .. CLIENTS - 1) {
			mine[k] = (chosen[k] == s && mine[k] == GOOD -> BAD : mine[k])
		}
		for (k : 0 .. LATE - 1) {
			late_token[k] = (late_server[k] == s && late_token[k] == GOOD ->
					 BAD : late_token[k])
		}
		k = 0
	}
}

inline withdraw(c, s, t)
{
	if
	:: t == GOOD -> expire(s)
	:: else
	fi
}

#if defined(COMMIT_UNCHECKED)
#define MAY_COMMIT(c, s, t) true
#elif defined(COMMIT_IF_FREE) /* it is enough that no other has reserved the server */
#define MAY_COMMIT(c, s, t) (holder[s] == 0 || holder[s] == c + 1)
#elif defined(COMMIT_ANY_TOKEN) /* it may be another reservation than the one it was for */
#define MAY_COMMIT(c, s, t) (holder[s] == c + 1)
#else
#define MAY_COMMIT(c, s, t) (t == GOOD)
#endif

inline keep_floor()
{
	d_step {
		out = 0;
		for (k : 0 .. SERVERS - 1) {
			out = out + (drains[k] -> 1 : 0)
		}
		assert(SERVERS - out >= FLOOR);
		out = 0;
		k = 0
	}
}

/* A drain that is in force already takes no reservation: it is a repetition.  Whoever looks
 * sees the reservation until they see the drain. */
inline commit(c, s, t, reply)
{
	if
	:: (drains[s] & (1 << c)) ->
		withdraw(c, s, t);
		reply = true
	:: !(drains[s] & (1 << c)) && MAY_COMMIT(c, s, t) ->
		drains[s] = drains[s] | (1 << c);
		expire(s);
		keep_floor();
		reply = true
	:: else -> reply = false
	fi
}

/* ---- requests whose reply does not come ---- */

inline put_late(n, what, c, s, t)
{
	late_what[n] = what;
	late_who[n] = c;
	late_server[n] = s;
	late_token[n] = t
}

/* It is lost, or it comes late; or it came, and the reply is lost, which is the same as late
 * and at once. */
inline no_reply(what, c, s, t)
{
	if
	:: true
	:: late_what[0] == 0 -> put_late(0, what, c, s, t)
#if LATE > 1
	:: late_what[0] && late_what[1] == 0 -> put_late(1, what, c, s, t)
#endif
	fi
}

inline arrive(n, reply)
{
	if
	:: late_what[n] == RESERVE -> reserve(late_who[n], late_server[n], reply)
	:: late_what[n] == COMMIT ->
		commit(late_who[n], late_server[n], late_token[n], reply)
	fi;
	reply = 0;
	put_late(n, 0, 0, 0, 0)
}

/* ---- a client ---- */

#ifdef LOOK_BEFORE_RESERVE
#define AFTER_BEGIN step_look
#define AFTER_RESERVE step_commit
#define AFTER_LOOK step_reserve
#else
#define AFTER_BEGIN step_reserve
#define AFTER_RESERVE step_look
#define AFTER_LOOK step_commit
#endif

#if defined(RESERVED_SERVES) /* looks see drains alone */
#define IS_RESERVED(s) false
#elif defined(OWN_SERVES) /* a reservation of one's own is passed over */
#define IS_RESERVED(s) (holder[s] && holder[s] != me + 1)
#else
#define IS_RESERVED(s) (holder[s] != 0)
#endif

#define KEEPS_FLOOR(gone) (SERVERS - 1 - (gone) >= FLOOR)

inline forget_looks()
{
	next = 0;
	gone = 0;
	before = 0;
	after = 0
}

inline forget()
{
	forget_looks();
	mine[me] = NO_TOKEN;
	chosen[me] = 0;
	reply = 0
}

active [CLIENTS] proctype client()
{
	byte me = _pid;
	byte next;	    /* the server to look at next */
	byte gone;	    /* that do not serve, or do not answer */
	byte before, after; /* that serve and are reserved: before ours in the order, after */
	byte rival;	    /* of those before: one of them, + 1 */
	byte reply;

	/* A goto ends a step: from there on others may have theirs. */
begin:
	if
	:: chosen[me] = 0
	:: chosen[me] = 1
	:: chosen[me] = 2
#if SERVERS > 3
	:: chosen[me] = 3
#endif
	fi;
	goto AFTER_BEGIN;

step_reserve:
	atomic {
		if
		:: reserve(me, chosen[me], mine[me]);
			if
			:: mine[me] -> goto AFTER_RESERVE
			:: else -> goto reserved_by_another
			fi
#ifdef FAILURES
		:: no_reply(RESERVE, me, chosen[me], NO_TOKEN);
			if
			:: goto step_reserve
			:: forget(); goto begin
			fi
#endif
		fi
	}

	/* Each look is at one server at one moment; it does not matter when the reply comes. */
step_look:
	atomic {
		next = (next == chosen[me] -> next + 1 : next);
		if
		:: next < SERVERS && KEEPS_FLOOR(gone) ->
			if
			:: drains[next] -> gone++
			:: !drains[next] && IS_RESERVED(next) ->
#ifdef FAILURES
				gone++
#else
				if
				:: next < chosen[me] -> before++; rival = next + 1
				:: else -> after++
				fi
#endif
			:: !drains[next] && !IS_RESERVED(next)
#ifdef FAILURES
#ifdef SILENCE_SERVES
			:: true
#else
			:: true -> gone++
#endif
#endif
			fi;
			next++;
			goto step_look
		:: else
		fi;

		/* All are seen, or enough. */
		if
		:: KEEPS_FLOOR(gone + before + after) ->
			forget_looks();
			goto AFTER_LOOK
#ifdef FAILURES
		/* It does not commit; what else it does may be anything. */
		:: !KEEPS_FLOOR(gone + before + after) -> forget_looks(); goto step_look
		:: true -> forget_looks(); goto step_withdraw
		:: true -> forget(); goto begin
#else
		/* It wins: those after it withdraw, and it waits for that. */
		:: !KEEPS_FLOOR(gone + before + after) && KEEPS_FLOOR(gone + before) ->
			forget_looks();
#ifdef WINNER_HURRIES
			goto AFTER_LOOK
#else
			goto step_look
#endif
		/* It loses against one before it. */
		:: !KEEPS_FLOOR(gone + before) && KEEPS_FLOOR(gone) ->
			forget_looks();
#ifdef LOSER_STAYS
			goto step_look
#else
			goto step_withdraw
#endif
		:: !KEEPS_FLOOR(gone) ->
			forget_looks();
			rival = 0;
			goto step_withdraw
#endif
		fi
	}

step_commit:
	atomic {
		if
		:: commit(me, chosen[me], mine[me], reply);
			if
			:: reply -> goto committed
#ifdef LOOKS_ARE_KEPT /* what was seen is believed under the next reservation, too */
			:: else -> reserve(me, chosen[me], mine[me]);
				if
				:: mine[me] -> goto step_commit
				:: else -> goto reserved_by_another
				fi
#else
			:: else -> forget(); goto begin
#endif
			fi
#ifdef FAILURES
		:: no_reply(COMMIT, me, chosen[me], mine[me]);
			if
			:: goto step_commit
			:: goto step_withdraw
			:: forget(); goto begin
			fi
#endif
		fi
	}

committed: progress:
	atomic {
#ifndef FAILURES
		/* It is ended, some time. */
		drains[chosen[me]] = drains[chosen[me]] & ~(1 << me);
#endif
		forget();
		goto begin
	}

	/* One that comes late does no more than the end of the reservation's time. */
step_withdraw:
	atomic {
		if
		:: withdraw(me, chosen[me], mine[me])
#ifdef FAILURES
		:: true
#endif
		fi;
		forget();
#ifdef FAILURES
		goto begin
#endif
	}
	/* The loser lets the other pass. */
	atomic {
#ifndef LOSER_HURRIES
		(rival == 0 || holder[rival - 1] == 0);
#endif
		rival = 0;
		goto begin
	}

reserved_by_another:
	atomic {
#ifndef FAILURES
		(holder[chosen[me]] == 0);
#endif
		forget();
		goto begin
	}
}

/* ---- what else happens ---- */

#ifdef FAILURES
#define EXPIRE(s) :: atomic { holder[s] -> expire(s) }
#define END(s) :: atomic { drains[s] -> drains[s] = 0 }
#define ARRIVE(n) :: atomic { late_what[n] -> arrive(n, reply) }
#define DROP(n) :: atomic { late_what[n] -> put_late(n, 0, 0, 0, 0) }

active proctype world()
{
	byte reply;

end:
	do
	EXPIRE(0) EXPIRE(1) EXPIRE(2)
	END(0) END(1) END(2)
#if SERVERS > 3
	EXPIRE(3) END(3)
#endif
	ARRIVE(0) DROP(0)
#if LATE > 1
	ARRIVE(1) DROP(1)
#endif
	od
}
#endif
