/** A self-signed certificate for 127.0.0.1, new for each run; it protects nothing. */
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

export function makeCertificate(): {key: string; cert: string} {
	const folder = mkdtempSync(join(tmpdir(), 'wherry-certificate-'));
	const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
	try {
		const result = spawnSync(
			'openssl',
			[
				...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1'.split(
					' ',
				),
				...['-keyout', key, '-out', cert, '-addext', 'subjectAltName=IP:127.0.0.1'],
			],
			{encoding: 'utf8'},
		);
		if (result.status !== 0) throw new Error(`openssl made no certificate: ${result.stderr}`);
		return {key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8')};
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}
