/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every cap on what a peer can make this program hold or do, in one place. Sizes are bytes, times
 * nanoseconds. Each is checked before anything is allocated for it.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include "base/duration.h"

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

/* HTTP, as server and as client. */
#define LIMIT_HTTP_HEAD	      (256 * KIB) /* request or response line and headers */
#define LIMIT_HTTP_TARGET     (128 * KIB) /* a request's path and query */
#define LIMIT_HTTP_HEADERS    256	  /* how many */
#define LIMIT_HTTP_PARAMS     1024	  /* of a request's query */
#define LIMIT_HTTP_CHUNK_LINE (4 * KIB)	  /* a chunk's size line with its extensions */
#define LIMIT_HTTP_TRAILER    (16 * KIB)
#define LIMIT_JSON_BODY	      (16 * MIB)     /* a request's JSON body */
#define LIMIT_JSON_BODIES     (256 * MIB)    /* those of all requests under way */
#define LIMIT_BODY_TIME	      (2 * MINUTE)   /* for such a body to come */
#define LIMIT_HEAD_TIME	      (10 * SECOND)  /* from a request's first byte to its head's end */
#define LIMIT_IDLE_KEEPALIVE  (120 * SECOND) /* a client's connection without a request */
#define LIMIT_CONNECTIONS     16000	     /* clients' connections at once */
#define LIMIT_CLIENT_REQUESTS 4096	     /* of one client under way at once */
#define LIMIT_HANDSHAKES      512	     /* of clients, under way at once */
#define LIMIT_REFUSALS_TOLD   20	     /* log lines a second about what strangers do */
#define LIMIT_BUILD_MEETING   (30 * SECOND)  /* a session, or an upload, without its build */

/* All patterns of one placement together; counted, not timed. */
#define LIMIT_PATTERN_TIME (50 * MILLISECOND)

/* Connections to engines: idle ones kept, over all engines. */
#define LIMIT_IDLE_POOLED   2048
#define LIMIT_IDLE_PER_HOST 8
#define LIMIT_FAN_OUT	    512 /* nodes that one request asks at once */

/* What an engine may answer to a call whose answer we keep. */
#define LIMIT_ENGINE_REPLY  (64 * MIB) /* lists */
#define LIMIT_ENGINE_OBJECT (16 * MIB) /* inspect, info, version, errors */
#define LIMIT_PULL_LINES    4096       /* of one pull's progress, for who joins it */
#define LIMIT_ENGINE_EVENT  (1 * MIB)  /* one event */

/* Of one engine: what its containers take, and of what it may have told news that is not read. */
#define LIMIT_ENGINE_KEPT   (256 * MIB)
#define LIMIT_ENGINE_NEWS   65536
#define LIMIT_ENGINE_NAME   4096	/* bytes of an id or a name in an event */
#define LIMIT_EVENT_BACKLOG (64 * MIB)	/* a slow subscriber of /events is closed beyond */
#define LIMIT_EVENT_REPLAY  (64 * MIB)	/* past events that one request gets */
#define LIMIT_EVENTS_HELD   (256 * MIB) /* of all subscribers together; of all those requests, too */

/*
 * What is believed of an engine, and of what one container may hold: more than any has, and yet
 * what a whole pool's add up to is a number, in nano-CPUs, too. A time in the year 2116 is one that
 * something may still be added to.
 */
#define LIMIT_ENGINE_TIME   (INT64_MAX / 2)
#define LIMIT_ENGINE_CPUS   65536
#define LIMIT_ENGINE_MEMORY (INT64_C(1) << 47)

#define LIMIT_JSON_DEPTH     128
#define LIMIT_FIBERS	     200000
#define LIMIT_FIBER_STACK    (256 * KIB)
#define LIMIT_EXECS	     16384 /* exec ids whose node is remembered */
#define LIMIT_BUILD_PINS     16384 /* clients whose node for builds is remembered */
#define LIMIT_PULL_TARGETS   16384 /* images that clients asked for, whose node is remembered */
#define LIMIT_RECORDS	     65536 /* of rescheduling, in a store */
#define LIMIT_RECORD	     (1 * MIB)
#define LIMIT_GRAVES	     4096  /* of them, of removed containers that a node may still have */
#define LIMIT_LABEL_EXPRS    256   /* constraints, affinities, whitelists of one request */
#define LIMIT_CONFIG_ITEMS   4096  /* binds, links, mounts ... of one container */
#define LIMIT_DEVICE_ITEMS   256   /* words of device requests; devices of an engine */
#define LIMIT_PATTERN	     1024  /* bytes of a glob or regular expression */
#define LIMIT_IMAGE_STEPS    1024  /* links from an image to its ancestors that are followed */
#define LIMIT_FILTERS	     64	   /* keys of a `filters` parameter */
#define LIMIT_RANGE_HOSTS    65536 /* addresses that one [m:n] entry may expand to */
#define LIMIT_DISCOVERY_FILE (16 * MIB)

#define LIMIT_KV_VALUE (512 * KIB) /* what Consul takes; etcd and ZooKeeper take some more */
#define LIMIT_KV_REPLY (64 * MIB)  /* what a key-value store may answer to one call */
#define LIMIT_KV_EVENT (4 * MIB)   /* what it may say at once in a watch */
/*
 * The token service. What one client has made may take up a small part of it only, so that no
 * stranger fills it for all.
 */
#define LIMIT_TOKEN_CLUSTERS	    10000
#define LIMIT_TOKEN_ENTRIES	    131072	      /* of all clusters */
#define LIMIT_TOKEN_NODES	    16384	      /* of one cluster */
#define LIMIT_TOKEN_CLIENT_CLUSTERS 256		      /* made by one client */
#define LIMIT_TOKEN_CLIENT_ENTRIES  16384	      /* registered by one client */
#define LIMIT_TOKEN_BODY	    512		      /* bytes of "host:port" */
#define LIMIT_TOKEN_TTL		    (365 * 24 * HOUR) /* of an entry */
#define LIMIT_TOKEN_IDLE	    (24 * HOUR) /* a full service forgets what was unused for so long */

#endif
