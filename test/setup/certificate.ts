/** Self-signed certificates, new for each run; they protect nothing. */
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

export function makeCertificate(address = '127.0.0.1'): {key: string; cert: string} {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-certificate-'));
	const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
	try {
		const result = spawnSync(
			'openssl',
			[
				...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj'.split(' '),
				`/CN=${address}`,
				...[
					'-keyout',
					key,
					'-out',
					cert,
					'-addext',
					`subjectAltName=${/^[\d.]+$/.test(address) ? 'IP' : 'DNS'}:${address}`,
				],
			],
			{encoding: 'utf8'},
		);
		if (result.status !== 0) throw new Error(`openssl made no certificate: ${result.stderr}`);
		return {key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8')};
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}
