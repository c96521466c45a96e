#!/usr/bin/env bash
# Makes the files that the fuzz targets start from, in fuzz/corpus. Keys are thrown away.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p corpus/{certificate,pem,chain,pkcs12,pkcs7,revocation_list,key,ber,configuration,monitor_pages,first_bytes}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" \
  -subj /CN=ca -days 3650 -addext basicConstraints=critical,CA:TRUE,pathlen:1 -addext keyUsage=critical,keyCertSign,cRLSign \
  -addext "nameConstraints=permitted;DNS:example.com,excluded;IP:10.0.0.0/255.0.0.0" 2>/dev/null
number=0
for names in DNS:lb.example.com "DNS:*.example.com,IP:10.0.0.1" "IP:fd00::1,email:a@b.c,URI:http://x/,dirName:section" ""; do
  for key in "ec -pkeyopt ec_paramgen_curve:P-256" "rsa:2048" ed25519; do
    number=$((number + 1))
    {
      echo "[leaf]"
      echo "basicConstraints=CA:FALSE"
      echo "keyUsage=critical,digitalSignature"
      echo "extendedKeyUsage=serverAuth,anyExtendedKeyUsage"
      echo "authorityKeyIdentifier=keyid"
      echo "tlsfeature=status_request"
      if [ -n "$names" ]; then echo "subjectAltName=$names"; fi
      echo "[section]"
      echo "CN=someone"
    } > "$work/extensions"
    # shellcheck disable=SC2086 # the options of a key are words
    openssl req -new -newkey $key -nodes -keyout "$work/key" -out "$work/csr" -subj "/CN=lb.example.com/O=Seed" 2>/dev/null
    openssl x509 -req -in "$work/csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 365 \
      -extfile "$work/extensions" -extensions leaf -out "$work/leaf" 2>/dev/null
    openssl x509 -in "$work/leaf" -outform DER -out "corpus/certificate/$number.der"
    cat "$work/leaf" "$work/ca.pem" > "corpus/pem/chain-$number.pem"
    cat "$work/leaf" "$work/ca.pem" "$work/key" > "corpus/pem/key-$number.pem"
    cp "corpus/pem/chain-$number.pem" "corpus/chain/$number.pem"
    openssl crl2pkcs7 -nocrl -certfile "corpus/pem/chain-$number.pem" -out "corpus/pem/$number.p7b"
    openssl crl2pkcs7 -nocrl -certfile "corpus/pem/chain-$number.pem" -outform DER -out "corpus/pem/$number.p7b.der"
    openssl pkcs12 -export -in "$work/leaf" -inkey "$work/key" -certfile "$work/ca.pem" -passout pass:fuzz -iter 1 \
      -out "corpus/pkcs12/$number.p12"
    openssl pkcs8 -topk8 -in "$work/key" -passout pass:fuzz -iter 1 -out "corpus/pem/encrypted-$number.pem"
  done
done
openssl x509 -in "$work/ca.pem" -outform DER -out corpus/certificate/ca.der
openssl pkcs12 -export -nokeys -in "$work/ca.pem" -passout pass:fuzz -iter 1 -out corpus/pkcs12/trust.p12
openssl pkcs12 -export -legacy -in "$work/leaf" -inkey "$work/key" -passout pass:fuzz -iter 1 -out corpus/pkcs12/legacy.p12 || true
# The tests' files, each to the targets that read its like. Their passphrase is another, which costs nothing here.
files=../tests/fixtures/files
cp $files/*.p7b $files/*.p7s corpus/pkcs7/
cp $files/*.crl $files/*list.der $files/easyrsa-crl.pem corpus/revocation_list/
cp $files/*.key $files/*.der corpus/key/
cp $files/*.pem $files/*.crt corpus/pem/
cp $files/*.p12 corpus/pkcs12/
cp $files/*.p12 $files/*.der corpus/ber/
cp ../tests/fixtures/*.yaml ../profiles/*.yaml corpus/configuration/
printf '{"is_coordinator": true, "is_quiescing": false, "shutdown_status": "x"}' > corpus/monitor_pages/role.json
printf '{"backends": [{"webserver_url": "http://n1:25000", "address": "n1:27000", "is_coordinator": true}]}' \
  > corpus/monitor_pages/backends.json
printf '{"memory.rss": 1, "mem-tracker.process.limit": 2, "impala-server.num-queries-registered": 3}' \
  > corpus/monitor_pages/metrics.json
printf 'HTTP/1.1 200 OK\r\n\r\n' > corpus/monitor_pages/status
printf '\200\001\000\002\000\000\000\007GetInfo\000\000\000\000\000' > corpus/monitor_pages/thrift
for first in '\026\003\001\002\000\001\000\001\374\003\003' '\r\n\r\n\000\r\nQUIT\n\041\021' 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2' 'GET / HTTP/1.1' \
  '\001\000\000\000\005PLAIN' '\200\056\001\000\002' 'SSH-2.0-x'; do
  # shellcheck disable=SC2059 # the bytes are escapes
  printf "$first" > "corpus/first_bytes/$(printf '%s' "$first" | cksum | cut -d ' ' -f 1)"
done
echo "seeds: $(find corpus -type f | wc -l) files"
