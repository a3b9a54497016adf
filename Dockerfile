# SPDX-License-Identifier: Apache-2.0
# The official image: one static binary and nothing else. tools/build-image makes what is copied
# here and runs `docker build`; no registry is asked.
#
#   docker run --rm swarm create
#   docker run -d swarm join --advertise=<node_ip:2375> token://<cluster_id>
#   docker run -d -p 4000:2375 swarm manage token://<cluster_id>
FROM scratch

# The token service of `create` and of token://<id>, baked in: --build-arg SWARM_TOKEN_SERVICE=URL
ARG SWARM_TOKEN_SERVICE=
ENV SWARM_TOKEN_SERVICE=$SWARM_TOKEN_SERVICE
# Where `manage` and `discovery` listen: in a container, on all of its addresses.
ENV SWARM_HOST=:2375
EXPOSE 2375

COPY swarm /swarm
# No name is needed for a user without a home or a shell. It needs no capability either, and writes
# nowhere but to its state, so --read-only and --cap-drop ALL are fine.
COPY --chown=65532:65532 state /var/lib/swarm
VOLUME /var/lib/swarm
USER 65532:65532

ENTRYPOINT ["/swarm"]
CMD ["--help"]
