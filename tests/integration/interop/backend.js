// An origin server for interoperability tests, by Node's own http, https and http2 modules:
// node backend.js MODE PORT FOLDER [CERTIFICATE KEY]
// MODE: h1 (cleartext, what the proxies ask), h1s (TLS, HTTP/1.1 only), h2 (TLS, HTTP/2 only).
'use strict';
const fs = require('fs');
const path = require('path');

const [mode, port, folder, certificate, key] = process.argv.slice(2);

const routes = {
    '/echo': (request, response) => {
        response.writeHead(200, {'content-type': 'application/octet-stream'});
        request.pipe(response);
    },
    /* The same, answered when all of it is there. */
    '/store': (request, response) => {
        const pieces = [];
        request.on('data', (piece) => pieces.push(piece));
        request.on('end', () => {
            response.writeHead(200, {'content-type': 'application/octet-stream'});
            response.end(Buffer.concat(pieces));
        });
    },
    '/chunked': (request, response) => {
        response.writeHead(200);
        for (let i = 0; i < 100; i++)
            response.write(`piece ${i}\n`);
        response.end();
    },
    '/trailers': (request, response) => {
        response.writeHead(200, {trailer: 'x-sum'});
        response.write('a body and then a trailer\n');
        response.addTrailers({'x-sum': '42'});
        response.end();
    },
    '/none': (request, response) => {
        response.writeHead(204);
        response.end();
    },
    '/hints': (request, response) => {
        response.writeEarlyHints({link: '</style.css>; rel=preload'});
        setImmediate(() => response.end('after the hints\n'));
    },
    '/slow': (request, response) => {
        let left = 5;
        response.writeHead(200);
        const timer = setInterval(() => {
            response.write(`${left}\n`);
            if (--left === 0) {
                clearInterval(timer);
                response.end();
            }
        }, 100);
    },
    '/early': (request, response) => {
        response.writeHead(413);
        response.end('too much\n');
    },
};

function send_file(name, request, response) {
    const file = path.join(folder, path.basename(name));
    fs.stat(file, (error, found) => {
        if (error || !found.isFile()) {
            response.writeHead(404);
            response.end('no such thing\n');
            return;
        }
        response.writeHead(200, {'content-length': found.size});
        if (request.method === 'HEAD')
            response.end();
        else
            fs.createReadStream(file).pipe(response);
    });
}

function answer(request, response) {
    const name = request.url.split('?')[0];
    if (routes[name])
        routes[name](request, response);
    else
        send_file(name, request, response);
}

function secrets() {
    return {cert: fs.readFileSync(certificate), key: fs.readFileSync(key)};
}

const server = mode === 'h1' ? require('http').createServer(answer)
    : mode === 'h1s' ? require('https').createServer(secrets(), answer)
        : require('http2').createSecureServer(secrets(), answer);
server.on('checkContinue', (request, response) => {
    response.writeContinue();
    answer(request, response);
});
server.listen(Number(port), '127.0.0.1');
