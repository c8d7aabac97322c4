import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../e2e/waiting.js';
import { NetworkNamespace, whyNoNamespaces } from '../namespace.js';
import { expectRecordedOnce, foldedTwice } from './audit.js';
import { Cluster } from './cluster.js';
import type { ProgramProcess } from './program-process.js';
import { Traffic } from './traffic.js';

jest.setTimeout(240_000);

const CUT_MS = 20_000;
const why = whyNoNamespaces();
const where = why === undefined ? describe : describe.skip;

where(
  `a recorder and a projector that are cut off the network for 20 s${why === undefined ? '' : ` (skipped: this machine makes no network namespaces: ${why})`}`,
  () => {
    let network: NetworkNamespace;
    let cluster: Cluster;
    let inside: { projector: ProgramProcess; recorder: ProgramProcess };
    beforeAll(async () => {
      network = NetworkNamespace.create();
      cluster = await Cluster.start({}, network);
      // It comes first, so that it leads.
      const projector = cluster.startInside('projector');
      await eventually(async () => {
        if ((await cluster.leader()) !== projector) throw new Error('the projector inside does not lead');
      });
      inside = { projector, recorder: cluster.startInside('recorder') };
      const names = ['projector', 'recorder', 'ingest', 'timeline-api'] as const;
      await Promise.all([inside.recorder.url(), ...names.map((name) => cluster.startProgram(name).url())]);
    });
    afterAll(async () => {
      await network?.heal();
      await cluster?.stop();
      network?.remove();
    });

    it('are replaced meanwhile, come back, lose nothing, and write nothing twice', async () => {
      const [standby] = cluster.of('projector').filter((one) => one !== inside.projector);
      const traffic = Traffic.start(cluster, 'cut');
      await eventually(async () =>
        expect(await inside.recorder.metric('hilo_recorder_contacts_total')).toBeGreaterThan(100),
      );
      await network.cut();
      const [since, before] = [Date.now(), traffic.taken];
      await eventually(async () => expect((await standby!.readiness()).body).toMatchObject({ leading: true }));
      const shownAtCut = (await standby!.metric('hilo_read_model_position'))!;
      // The log goes on by the other recorder, and the timelines by the other projector.
      await eventually(async () =>
        expect(await standby!.metric('hilo_read_model_position')).toBeGreaterThan(shownAtCut),
      );
      const shownAfterMs = Date.now() - since;
      await sleep(Math.max(0, CUT_MS - (Date.now() - since)));
      expect(traffic.taken).toBeGreaterThan(before);
      await network.heal();
      await sleep(3000);
      await traffic.stop();
      await expectRecordedOnce(cluster, traffic.receipts);
      const { live, anew } = await foldedTwice(cluster);
      expect(live).toEqual(anew);
      expect(shownAfterMs).toBeLessThan(CUT_MS);
      // Whom the others had taken for dead lives on, stands by, and takes contacts again.
      await eventually(async () =>
        expect((await inside.projector.readiness()).body).toMatchObject({ status: 'ok', leading: false }),
      );
      await eventually(async () => expect(await inside.recorder.readiness()).toMatchObject({ status: 200 }));
      const ended = cluster.programs.filter(({ isRunning }) => !isRunning);
      expect(ended.map(({ name, stderr }) => [name, stderr.slice(-2000)])).toEqual([]);
      expect((await cluster.hilo('reconcile')).stderr).toContain('everything adds up');
    });
  },
);
