import { fastify } from 'fastify';

/** Takes a contact and says so: what HTTP costs with nothing behind it. */
const app = fastify();
app.get('/', async () => ({ status: 'ok' }));
app.post('/', async (request, reply) => {
  await reply.status(202).send({ taken: typeof request.body === 'object' });
});
process.on('SIGINT', () => void app.close().then(() => process.exit(0)));
process.stdout.write(`listening on ${await app.listen({ port: 0, host: '127.0.0.1' })}\n`);
