"""Section 9.2 of RFC 9113: versions, cipher suites and certificates."""

import os
import ssl
import subprocess

from case import CERTIFICATE, TLS, Table
from wire import response

TABLE = Table()
BODY = b"hello"


def version(low, high):
    def change(context):
        context.minimum_version, context.maximum_version = low, high
    return change


def suites(names):
    def change(context):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(names)
    return change


def old_version(context):
    context.set_ciphers("ALL:@SECLEVEL=0")
    version(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)(context)


def refuse(name, section, words, exits=TLS, **more):
    TABLE.add(name, section, response(1, BODY), exits, text=words, tls=True, at="request", **more)


refuse("TLS 1.1 alone", "9.2", "", context=old_version)
for name in ("ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA"):
    refuse(f"TLS 1.2 with {name} alone", "9.2.2", "", context=suites(name))
refuse("TLS 1.2 with CBC and RSA key exchange alone", "9.2.2", "", certificate="rsa",
       context=suites("AES128-SHA:AES256-SHA:AES128-SHA256:AES128-GCM-SHA256"))
for name in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
             "ECDHE-ECDSA-CHACHA20-POLY1305"):
    TABLE.ok(f"TLS 1.2 with {name}", "9.2.2", response(1, BODY), BODY, tls=True,
             context=suites(name))
TABLE.ok("TLS 1.2 and RSA", "9.2.2", response(1, BODY), BODY, tls=True, certificate="rsa",
         context=version(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2))
TABLE.ok("TLS 1.3 alone", "9.2.3", response(1, BODY), BODY, tls=True,
         context=version(ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3))
TABLE.ok("several session tickets", "9.2.3", response(1, BODY), BODY, tls=True,
         context=lambda context: setattr(context, "num_tickets", 10))

TRUST = {"options": ("--cacert", "CA"), "exits": CERTIFICATE}
for name, certificate, words in (
        ("expired", "expired", "expired"), ("not yet valid", "future", "not valid yet"),
        ("self-signed", "self-signed", "self-signed"),
        ("of another host", "other-host", "host"), ("for clients alone", "client", "purpose"),
        ("of an unknown issuer", "unknown", "issuer"),
        ("issued by a certificate that is no authority", "leaf", ""),
        ("without names of hosts", "no-names", "subject alternative name")):
    refuse(f"a certificate {name}", "RFC 5280", words, certificate=certificate, **TRUST)
TABLE.ok("a certificate of a trusted authority", "RFC 5280", response(1, BODY), BODY, tls=True,
         certificate="trusted", options=("--cacert", "CA"))
TABLE.ok("a certificate with a wildcard is good with -k", "RFC 5280", response(1, BODY), BODY,
         tls=True, certificate="other-host")


def issue(folder, name, issuer, extensions, days=2, key="ec", dates=()):
    """(certificate, key), signed by the pair issuer, or by itself."""
    cert, secret = os.path.join(folder, f"{name}.crt"), os.path.join(folder, f"{name}.key")
    request, config = os.path.join(folder, f"{name}.csr"), os.path.join(folder, f"{name}.ext")
    kind = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] if key == "ec" else ["rsa:2048"]
    openssl("req", "-new", "-newkey", *kind, "-nodes", "-subj", f"/CN={name}.test", "-keyout",
            secret, "-out", request)
    with open(config, "w", encoding="ascii") as file:
        file.write("\n".join(extensions) + "\n")
    with open(os.path.join(folder, f"{name}.cnf"), "w", encoding="ascii") as file:
        file.write(f"[ca]\ndefault_ca=it\n[it]\nnew_certs_dir={folder}\ndatabase={folder}/{name}.db"
                   f"\nserial={folder}/{name}.serial\ndefault_md=sha256\npolicy=any\n"
                   "[any]\ncommonName=supplied\n")
    for end, text in ((".db", ""), (".serial", os.urandom(8).hex())):
        with open(os.path.join(folder, name + end), "w", encoding="ascii") as file:
            file.write(text)
    signer = ["-selfsign", "-keyfile", secret] if issuer is None else \
        ["-cert", issuer[0], "-keyfile", issuer[1]]
    when = ["-startdate", dates[0], "-enddate", dates[1]] if dates else ["-days", str(days)]
    openssl("ca", "-batch", "-notext", "-config", os.path.join(folder, f"{name}.cnf"), "-in",
            request, "-out", cert, "-extfile", config, *signer, *when)
    return cert, secret


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def make_certificates(folder):
    """Every server certificate that a case names, and the authority that weft is told to trust."""
    host = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    authority = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
    ca, other = issue(folder, "ca", None, authority), issue(folder, "other-ca", None, authority)
    leaf = issue(folder, "leaf-issuer", ca, ["basicConstraints=CA:FALSE", host])
    pairs = {
        "ca": ca, "good": issue(folder, "good", None, [host]),
        "trusted": issue(folder, "trusted", ca, [host]),
        "rsa": issue(folder, "rsa", None, [host], key="rsa"),
        "self-signed": issue(folder, "self-signed", None, [host]),
        "expired": issue(folder, "expired", ca, [host],
                         dates=("20200101000000Z", "20210101000000Z")),
        "future": issue(folder, "future", ca, [host], dates=("20900101000000Z", "20910101000000Z")),
        "other-host": issue(folder, "other-host", ca, ["subjectAltName=DNS:*.other.test"]),
        "client": issue(folder, "client", ca, [host, "extendedKeyUsage=clientAuth"]),
        "unknown": issue(folder, "unknown", other, [host]),
        "leaf": issue(folder, "leaf", leaf, [host]),
        "no-names": issue(folder, "no-names", ca, ["basicConstraints=CA:FALSE"]),
    }
    with open(pairs["leaf"][0], "a", encoding="ascii") as file, \
            open(leaf[0], encoding="ascii") as issuer:
        file.write(issuer.read())
    return pairs
