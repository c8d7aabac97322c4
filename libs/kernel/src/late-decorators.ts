import 'reflect-metadata';

/** A decorator of a class, a method or a property. */
export type LateDecorator = (target: object, key?: string | symbol) => void;

type Decorator = PropertyDecorator | MethodDecorator | ClassDecorator;

/** Decorators of a package that is loaded only when somebody asks for what they declare. */
export class LateDecorators<Package> {
  private readonly waiting: ((from: Package) => void)[] = [];

  /** A decorator of the package: takes the same options and waits for `apply`. */
  of<Options extends unknown[]>(
    pick: (from: Package) => (...options: Options) => Decorator,
  ): (...options: Options) => LateDecorator {
    return (...options) =>
      (target, key) =>
        void this.waiting.push((from) => decorate(pick(from)(...options), target, key));
  }

  /** Decorates what was declared since the last call, in the order of its declaration. */
  apply(from: Package): void {
    for (const one of this.waiting.splice(0)) one(from);
  }
}

const decorate = (decorator: Decorator, target: object, key: string | symbol | undefined): void => {
  if (key === undefined) Reflect.decorate([decorator as ClassDecorator], target as CallableFunction);
  else
    Reflect.decorate(
      [decorator as PropertyDecorator | MethodDecorator],
      target,
      key,
      Object.getOwnPropertyDescriptor(target, key),
    );
};
