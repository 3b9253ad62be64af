/*
 * The states of an RTSP session with a camera: one pure table, state x event -> next state and what
 * to do. One request is under way at a time; one timer.
 */
#ifndef CAMHUB_WORKER_RTSP_FSM_H
#define CAMHUB_WORKER_RTSP_FSM_H

#define RTSP_STATES(X)                                                                             \
	X(CONNECTING, "connecting") /* the socket, then TLS */                                     \
	X(OPTIONS, "options")                                                                      \
	X(DESCRIBE, "describe")                                                                    \
	X(SETUP, "setup") /* one track after the other */                                          \
	X(PLAY, "play")                                                                            \
	X(PLAYING, "playing") /* keep-alives are sent here */                                      \
	X(PAUSE, "pause")     /* no picture came: PAUSE, and PLAY once more */                     \
	X(TEARDOWN, "teardown")                                                                    \
	X(CLOSED, "closed")

#define RTSP_EVENTS(X)                                                                             \
	X(CONNECTED, "connected")                                                                  \
	X(OK, "ok")               /* 2xx to the request under way */                               \
	X(SET_UP, "set-up")       /* 2xx to SETUP, and no track is left */                         \
	X(CHALLENGE, "challenge") /* 401 that can be answered */                                   \
	X(REFUSED, "refused")     /* 401 or 403 that cannot */                                     \
	X(TRANSPORT, "transport") /* 461: another transport is to be tried */                      \
	X(REDIRECT, "redirect")   /* 301, 302, 303, 305, 307, or a REDIRECT from the camera */     \
	X(FAILED, "failed")       /* any other status, or a reply that cannot be used */           \
	X(SILENT, "silent")       /* no packet of video for too long */                            \
	X(DEAD, "dead")           /* it stays silent, or it said good-bye */                       \
	X(TIMEOUT, "timeout")     /* of the state */                                               \
	X(LOST, "lost")           /* end of the connection, error of TLS, nothing like RTSP */     \
	X(STOP, "stop")

#define RTSP_ACTIONS(X)                                                                            \
	X(NONE, "none")                                                                            \
	X(ASK, "ask")     /* send the request of the new state */                                  \
	X(AGAIN, "again") /* the same request with an answer to the challenge */                   \
	X(NEXT_TRACK, "next-track")                                                                \
	X(OTHER_TRANSPORT, "other-transport")                                                      \
	X(GO, "go") /* media may come; wait for keep-alive */                                      \
	X(KEEP_ALIVE, "keep-alive")                                                                \
	X(REVIVE, "revive") /* PAUSE and PLAY, once in a silence */                                \
	X(FOLLOW, "follow") /* say where the successor is to go, and end */                        \
	X(FAIL, "fail")     /* say why, and end */                                                 \
	X(LEAVE, "leave")   /* TEARDOWN, then close */                                             \
	X(CLOSE, "close")                                                                          \
	X(TELL, "tell") /* the last word to the worker: it is closed */

#define RTSP_ENUM_STATE(id, name)  RTSP_STATE_##id,
#define RTSP_ENUM_EVENT(id, name)  RTSP_EVENT_##id,
#define RTSP_ENUM_ACTION(id, name) RTSP_ACTION_##id,
enum rtsp_state { RTSP_STATES(RTSP_ENUM_STATE) RTSP_STATE_COUNT };
enum rtsp_event { RTSP_EVENTS(RTSP_ENUM_EVENT) RTSP_EVENT_COUNT };
enum rtsp_action { RTSP_ACTIONS(RTSP_ENUM_ACTION) RTSP_ACTION_COUNT };

struct rtsp_step {
	enum rtsp_state next;
	enum rtsp_action action;
};

/* Every cell is filled; what cannot be there is NONE and stays. */
struct rtsp_step rtsp_fsm_step(enum rtsp_state state, enum rtsp_event event);
const char *rtsp_state_name(enum rtsp_state state);
const char *rtsp_event_name(enum rtsp_event event);
const char *rtsp_action_name(enum rtsp_action action);

#endif
