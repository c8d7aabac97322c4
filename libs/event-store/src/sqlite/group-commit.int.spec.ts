import { openSqlite, type SqliteDatabase } from '#libs/kernel/sqlite.js';
import { GroupCommit } from './group-commit.js';

describe('GroupCommit', () => {
  let db: SqliteDatabase;
  let commits: GroupCommit;
  beforeEach(() => {
    db = openSqlite(':memory:');
    db.exec('CREATE TABLE t (n INTEGER PRIMARY KEY)');
    commits = new GroupCommit(db, ':memory:');
  });
  afterEach(() => db.close());
  const rows = (): number[] =>
    db
      .prepare('SELECT n FROM t ORDER BY n')
      .all<{ n: number }>([])
      .map(({ n }) => n);
  const insert = (n: number): void => void db.prepare('INSERT INTO t VALUES (?)').run([n]);

  it('runs the work of one turn in one transaction, in order', async () => {
    const order: string[] = [];
    await Promise.all(
      [1, 2, 3].map((n) =>
        commits.enqueue({ run: () => insert(n), committed: () => order.push(`${n} of ${rows().length}`) }),
      ),
    );
    expect(order).toEqual(['1 of 3', '2 of 3', '3 of 3']);
  });

  it('rejects work that throws alone, and undoes what it wrote when it asks for that', async () => {
    const fail = (): never => {
      throw new Error('no');
    };
    const settled = await Promise.allSettled([
      commits.enqueue({ run: () => insert(1) }),
      commits.enqueue({ run: () => (insert(2), fail()), undoAlone: true }),
      commits.enqueue({ run: () => insert(1) }),
      commits.enqueue({ run: () => insert(3) }),
    ]);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(rows()).toEqual([1, 3]);
  });

  it('undoes work that is alone in its turn, and rejects it with what it threw', async () => {
    const refusal = new Error('no');
    let undone = 0;
    const refuse = () => {
      insert(1);
      throw refusal;
    };
    await expect(commits.enqueue({ run: refuse, undoAlone: true, undone: () => undone++ })).rejects.toBe(refusal);
    expect([rows(), undone]).toEqual([[], 1]);
    await commits.enqueue({ run: () => insert(2), undoAlone: true });
    expect(rows()).toEqual([2]);
  });

  it('finishes what is queued when it closes, and takes no more', async () => {
    const queued = commits.enqueue({ run: () => insert(1) });
    commits.close();
    await queued;
    expect(rows()).toEqual([1]);
    await expect(commits.enqueue({ run: () => insert(2) })).rejects.toMatchObject({ code: 'EVENT_STORE.CLOSED' });
  });
});
