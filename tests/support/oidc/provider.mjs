// panva's certified OpenID provider over TLS, for tests: node provider.mjs FOLDER PORT
//
// FOLDER has key.pem and cert.pem; clients.json; and people.json (sub -> claims), which is read again
// for each login. Whoever logs in is who they say they are, as the login form of its development mode
// has it. Prints one line when it listens.
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { Provider } from 'oidc-provider';

const [folder, port] = process.argv.slice(2);
const read = (name) => JSON.parse(fs.readFileSync(path.join(folder, name)));
const SCOPE = 'openid email profile offline_access';

const provider = new Provider(`https://localhost:${port}`, {
  clients: read('clients.json'),
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'preferred_username', 'groups'],
  },
  issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true }, deviceFlow: { enabled: true }, revocation: { enabled: true } },
  findAccount: async (_, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, ...read('people.json')[id] }),
  }),
  // Consent is the organisation's, given once for everybody.
  loadExistingGrant: async ({ oidc }) => {
    const grant = new oidc.provider.Grant({
      clientId: oidc.client.clientId,
      accountId: oidc.session.accountId,
    });
    grant.addOIDCScope(SCOPE);
    await grant.save();
    return grant;
  },
});
const server = https.createServer(
  { key: fs.readFileSync(path.join(folder, 'key.pem')), cert: fs.readFileSync(path.join(folder, 'cert.pem')) },
  provider.callback(),
);
server.listen(Number(port), '127.0.0.1', () => console.log('listening'));
