# SPDX-License-Identifier: Apache-2.0
"""Certificates of a test's own, and the flags that name them."""

import pathlib
import shutil

from lab import host
from lab.pool import MAKE_CERTS


def make_certs(folder, *names):
    """Runs tools/make-certs: folder/NAME/ for each NAME=ADDRESS,..., and for `client`. Returns the
    folder."""
    host.run(MAKE_CERTS, folder, *names)
    return folder


def files_of(folder):
    """CA, certificate and key of such a folder."""
    return [f'{folder}/{file}.pem' for file in ('ca', 'cert', 'key')]


KINDS = ('cacert', 'cert', 'key')


def tls_flags(*files, prefix='tls'):
    """CA, certificate and key as `swarm` wants them."""
    return [f'--{prefix}{kind}={file}' for kind, file in zip(KINDS, files)]


def kv_opts(*files):
    """The same as etcd:// and consul:// want them."""
    return [word for kind, file in zip(KINDS, files)
            for word in ('--discovery-opt', f'kv.{kind}file={file}')]


def verified(folder):
    """Flags for TLS that verifies the other side."""
    return ['--tlsverify', *tls_flags(*files_of(folder))]


def store_opts(folder):
    return kv_opts(*files_of(folder))


def sign(folder, ca, like, name, since, until):
    """Makes folder/name/ as make_certs does: the CA's in `ca`, with the key of `like`, for both
    sides at 127.0.0.1, valid in that time (YYYYMMDDHHMMSSZ). Returns it."""
    made = pathlib.Path(folder) / name
    made.mkdir(exist_ok=True)
    (made / 'index').write_text('')
    (made / 'openssl.cnf').write_text(
        '[ca]\ndefault_ca = it\n[it]\npolicy = any\ndefault_md = sha256\nrand_serial = yes\n'
        f'database = {made}/index\nnew_certs_dir = {made}\nunique_subject = no\n'
        'x509_extensions = both\n[any]\ncommonName = supplied\n'
        '[both]\nextendedKeyUsage = serverAuth,clientAuth\nsubjectAltName = IP:127.0.0.1\n')
    host.run('openssl', 'req', '-new', '-key', f'{ca}/{like}/key.pem', '-subj', f'/CN={name}',
             '-out', str(made / 'request.pem'))
    host.run('openssl', 'ca', '-batch', '-notext', '-config', str(made / 'openssl.cnf'),
             '-cert', f'{ca}/ca.pem', '-keyfile', f'{ca}/ca-key.pem', '-startdate', since,
             '-enddate', until, '-in', str(made / 'request.pem'), '-out', str(made / 'cert.pem'))
    shutil.copy(f'{ca}/{like}/key.pem', made / 'key.pem')
    shutil.copy(f'{ca}/ca.pem', made / 'ca.pem')
    return made
