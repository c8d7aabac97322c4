import type { CustomerIdentifier } from '#libs/kernel';
import { PEOPLE, identifiersOn, type Person } from './casa-lumbre.js';
import { seeded } from './random.js';
import { DAY, HOUR, MINUTE, contact, fill, promiseIn, type ContactFacts, type Scheduled } from './scene.js';

/** Opens the timeline of Lucía Ferrer Ortega, who uses nine channels and whose year is worth a look. */
export const SHOWCASE_IDENTIFIER: CustomerIdentifier = { type: 'email', value: 'lucia.ferrer@correo.example' };

type Line = readonly [by: 'lucia' | 'us', minutesLater: number, text: string];

const MARTA = 'marta.gil';
const NURIA = 'nuria.soler';

/** A year with one customer, told by hand: a grinder, a broken pot, a promise not kept, a wedding, and a throw that is late. */
export const showcase = (nowMs: number): Scheduled[] => {
  const [lucia, tomas] = PEOPLE;
  if (!lucia || !tomas) throw new RangeError('the showcase needs its two people');
  const random = seeded(1848);
  const told: Scheduled[] = [];
  const midnight = Math.floor(nowMs / DAY) * DAY;
  /** Madrid time; the demo keeps to winter time. */
  const at = (daysAgo: number, clock: string): number => {
    const [hours = 0, minutes = 0] = clock.split(':').map(Number);
    return midnight - daysAgo * DAY + (hours - 1) * HOUR + minutes * MINUTE;
  };
  const tell = (
    facts: Omit<ContactFacts, 'direction'> & Partial<Pick<ContactFacts, 'direction'>>,
    who: Person = lucia,
  ): void => {
    const { atMs, text } = facts;
    told.push(
      contact(who, {
        direction: facts.agent && facts.kind === 'message' ? 'outbound' : 'inbound',
        ...facts,
        ...(text !== undefined && {
          text: fill(text, { person: who, atMs, ...(facts.agent && { agent: facts.agent }) }, random),
          attributes: { ...facts.attributes, ...(facts.agent && promiseIn(text, who, atMs)) },
        }),
      }),
    );
  };
  const talk = (
    thread: string,
    channel: 'email' | 'chat' | 'whatsapp' | 'social',
    agent: string,
    startMs: number,
    lines: readonly Line[],
    more: { subject?: string; attachments?: Record<number, NonNullable<ContactFacts['attachments']>> } = {},
  ): void => {
    let atMs = startMs;
    lines.forEach(([by, minutesLater, text], i) => {
      atMs += minutesLater * MINUTE + ((i * 17_000) % MINUTE);
      const attachments = more.attachments?.[i];
      tell({
        id: `casa-01-${thread}-${i + 1}`,
        channel,
        kind: 'message',
        atMs,
        threadId: `casa-01-${thread}`,
        text,
        ...(by === 'us' && { agent }),
        ...(more.subject && { subject: i > 0 ? `Re: ${more.subject}` : more.subject }),
        ...(attachments && { attachments }),
      });
    });
  };
  const order = (
    number: string,
    what: string,
    total: number,
    steps: readonly [string, string, number, string][],
  ): void =>
    steps.forEach(([outcome, text, daysAgo, clock]) =>
      tell({
        id: `${number}-${outcome}`,
        channel: 'commerce',
        kind: outcome === 'placed' ? 'order' : 'status',
        direction: outcome === 'placed' ? 'inbound' : 'outbound',
        atMs: at(daysAgo, clock),
        threadId: number,
        subject: number,
        outcome,
        text,
        ...(outcome === 'placed' && { attributes: { item: what, total } }),
      }),
    );
  const visit = (id: string, daysAgo: number, clock: string, text: string): void =>
    tell({ id: `casa-01-${id}`, channel: 'store', kind: 'visit', atMs: at(daysAgo, clock), agent: NURIA, text });
  const call = (
    facts: Pick<ContactFacts, 'id' | 'atMs' | 'text' | 'outcome' | 'subject' | 'revision' | 'heardMs'> & {
      agent: string;
      minutes: number;
      direction: 'inbound' | 'outbound';
      from?: string;
    },
    who: Person = lucia,
  ): void => {
    const { minutes, from, id, ...rest } = facts;
    tell(
      {
        ...rest,
        id: `casa-01-${id}`,
        channel: 'phone',
        kind: 'call',
        endedMs: facts.atMs + minutes * MINUTE,
        attributes: { durationSeconds: minutes * 60 },
        ...(from && { identifiers: [{ type: 'phone', value: from }] }),
      },
      who,
    );
  };

  // How it began: a card in the shop, an account on the web, a grinder.
  visit(
    'first-visit',
    352,
    '12:10',
    'Primera visita. Prueba Finca La Estrella en la barra y se lleva una bolsa. Le hago la tarjeta de puntos.',
  );
  tell({
    id: 'casa-01-login',
    channel: 'web',
    kind: 'identify',
    atMs: at(338, '21:40'),
    identifiers: identifiersOn(lucia, 'chat'),
  });
  order('CL-20101', 'molinillo de mano Molino', 84, [
    ['placed', 'Pedido CL-20101: molinillo de mano Molino.', 338, '21:52'],
    ['shipped', 'Tu pedido CL-20101 ha salido del taller.', 337, '17:05'],
    ['delivered', 'Pedido CL-20101 entregado.', 334, '11:20'],
  ]);
  talk('grind', 'chat', MARTA, at(333, '18:30'), [
    [
      'lucia',
      0,
      'Hola! Me llegó ayer el molinillo y estoy perdida con los puntos. ¿Por cuál empiezo para una italiana?',
    ],
    ['us', 2, 'Hola, {given}. Empieza en el 14 contando desde cerrado. Si sube muy rápido, baja a 12.'],
    ['lucia', 1, '¿Y para filtro?'],
    ['us', 2, 'Entre 22 y 24. Y no lo laves con agua: cepillo y listo.'],
    ['lucia', 26, 'En el 13 ha salido perfecto. Gracias, Marta 😊'],
  ]);
  tell({
    id: 'casa-01-feedback-1',
    channel: 'web',
    kind: 'feedback',
    atMs: at(326, '09:15'),
    text: 'El molinillo es una maravilla y me ayudaron por el chat en dos minutos.',
    attributes: { score: 5, scale: 5 },
  });

  // A comment, a visit, a subscription.
  talk('mugs', 'social', NURIA, at(291, '22:05'), [
    ['lucia', 0, '¿Esas tazas de barro son las que hacéis en Malasaña? Quiero las verdes 💚'],
    ['us', 680, '¡Hola, {given}! Las mismas. Nos quedan dos juegos verdes, te aparto uno hasta el {day:3}.'],
    ['lucia', 22, 'Sí, por favor. Voy pasado mañana.'],
  ]);
  visit(
    'mugs',
    288,
    '13:02',
    'Recoge el juego de tazas verdes apartado por Instagram. Pregunta por la suscripción de café.',
  );
  talk(
    'subscription',
    'email',
    MARTA,
    at(256, '10:12'),
    [
      [
        'lucia',
        0,
        'Buenos días:\n\nMe gustaría suscribirme a dos bolsas al mes, una en grano y otra molida para mi madre. ¿Se puede mandar cada una a una dirección?\n\nUn saludo,\nLucía',
      ],
      [
        'us',
        95,
        'Buenos días, {given}:\n\nSí, dos direcciones sin coste añadido. Solo dime la de tu madre y si prefiere molido para italiana o para filtro.\n\n{agent}',
      ],
      [
        'lucia',
        240,
        'Italiana. La dirección es la que he añadido en mi cuenta como «Mamá». Que no lleve factura, que es una sorpresa.',
      ],
      ['us', 41, 'Apuntado, sin factura y con una nota: «De Lucía». El primer envío sale el {day:2}.\n\n{agent}'],
    ],
    { subject: 'Suscripción a dos direcciones' },
  );
  order('CL-20102', 'suscripción Dos al mes', 24, [
    ['placed', 'Suscripción CL-20102: dos bolsas al mes, dos direcciones.', 255, '09:30'],
    ['shipped', 'Tu envío CL-20102 ha salido del taller.', 254, '16:45'],
    ['delivered', 'Envío CL-20102 entregado en las dos direcciones.', 252, '12:40'],
  ]);

  // One landline, two people.
  const landline = lucia.landline ?? '';
  call({
    id: 'move-day',
    agent: NURIA,
    atMs: at(221, '17:20'),
    minutes: 4,
    direction: 'inbound',
    from: landline,
    subject: 'Cambiar el día de entrega',
    text: 'Llama desde el fijo de casa. Quiere que la suscripción llegue los viernes. Cambiado a partir del próximo envío.',
    outcome: 'resolved',
  });
  call(
    {
      id: 'tomas-gift',
      agent: NURIA,
      atMs: at(219, '11:05'),
      minutes: 6,
      direction: 'inbound',
      from: landline,
      subject: 'Tarjeta regalo',
      text: 'Llama desde el mismo fijo, es Tomás. Quiere una tarjeta regalo de 50 para Lucía y pide que no se le diga. La recoge él en la tienda.',
      outcome: 'resolved',
    },
    tomas,
  );

  // The broken pot, the promise that was not kept, and the letter that came too late.
  order('CL-20103', 'cafetera italiana de 6 tazas', 39, [
    ['placed', 'Pedido CL-20103: cafetera italiana de 6 tazas.', 190, '20:14'],
    ['shipped', 'Tu pedido CL-20103 ha salido del taller.', 189, '16:30'],
    ['delivered', 'Pedido CL-20103 entregado.', 187, '10:50'],
  ]);
  talk(
    'broken-pot',
    'whatsapp',
    MARTA,
    at(187, '11:31'),
    [
      ['lucia', 0, 'Hola, acaba de llegar la cafetera y el asa viene partida 😔 Os mando foto.'],
      ['us', 13, 'Ay, {given}, qué rabia. Lo siento. ¿Te mando otra o prefieres el dinero?'],
      ['lucia', 2, 'Otra, por favor. Tengo invitados el fin de semana, ¿llegaría?'],
      ['us', 5, 'Llega seguro: sale hoy y la tienes el {day:2}. Te lo prometo.'],
      ['lucia', 1, 'Genial, mil gracias.'],
      ['lucia', 4320, 'Buenas… era para ayer y aquí no ha llegado nada. Ni aviso ni número de seguimiento.'],
    ],
    { attachments: { 0: [{ name: 'asa-partida.jpg', contentType: 'image/jpeg', bytes: 284_112 }] } },
  );
  tell({
    id: 'casa-01-letter',
    channel: 'letter',
    kind: 'message',
    atMs: at(184, '19:00'),
    heardMs: at(161, '09:40'),
    subject: 'Carta: una promesa sin cumplir',
    text: 'Estimados señores:\n\nHace una semana les compré una cafetera que llegó rota. Se me prometió otra para antes del fin de semana, y hoy sigo sin ella y sin noticia alguna. No escribo por la cafetera, sino por la palabra dada: prefiero un «no llegamos» a un «te lo prometo».\n\nLes ruego que me contesten por escrito.\n\nLucía Ferrer Ortega',
  });
  const apology = {
    id: 'apology',
    agent: MARTA,
    atMs: at(183, '10:05'),
    minutes: 9,
    direction: 'outbound' as const,
    subject: 'Disculpas por la cafetera',
    outcome: 'replacement-sent',
  };
  call({
    ...apology,
    text: 'Le pido disculpas: el envío de reposición no llegó a salir del almacén. Va hoy en mensajero y llega el {day:1} por la mañana. Le ofrezco un vale de 10.',
  });
  call({
    ...apology,
    revision: 2,
    heardMs: at(183, '12:20'),
    text: 'Le pido disculpas: el envío de reposición no llegó a salir del almacén. Va hoy en mensajero y llega el {day:1} por la mañana. Le ofrezco un vale de 15, no de 10. Acepta.',
  });
  tell({
    id: 'CL-20103-replaced',
    channel: 'commerce',
    kind: 'status',
    direction: 'outbound',
    atMs: at(182, '11:15'),
    threadId: 'CL-20103',
    subject: 'CL-20103',
    outcome: 'replacement-delivered',
    text: 'Reposición del pedido CL-20103 entregada por mensajero.',
  });
  talk(
    'letter-answer',
    'email',
    MARTA,
    at(161, '11:02'),
    [
      [
        'us',
        0,
        'Estimada Lucía:\n\nHoy nos ha llegado su carta, que ha tardado más de tres semanas. La cafetera ya está en sus manos, pero tiene usted razón en lo importante: prometí algo que no dependía de mí y no avisé. Desde este mes nadie del equipo promete una fecha sin número de seguimiento.\n\nGracias por escribirlo.\n\nMarta Gil',
      ],
      [
        'lucia',
        196,
        'Hola, Marta:\n\nNo esperaba una respuesta así. Para mí queda zanjado. Y tutéame, que llevo medio año comprando aquí.\n\nLucía',
      ],
      ['us', 24, 'Hecho, {given}. El vale de 15 ya está en tu tarjeta. ¡Hasta pronto!'],
    ],
    { subject: 'Su carta' },
  );
  visit('voucher', 143, '12:48', 'Usa el vale de 15 en una vela Noche. Dice que la cafetera nueva va de lujo.');
  tell({
    id: 'casa-01-feedback-2',
    channel: 'web',
    kind: 'feedback',
    atMs: at(142, '20:33'),
    text: 'Metieron la pata y dieron la cara. No todo el mundo lo hace.',
    attributes: { score: 4, scale: 5 },
  });

  // Forty mugs for a wedding.
  talk(
    'wedding',
    'email',
    NURIA,
    at(99, '09:25'),
    [
      [
        'lucia',
        0,
        'Hola:\n\nMi hermana se casa en dos meses y quiero regalar a los invitados una taza de barro de las vuestras. Serían 40, todas verdes. ¿Es posible? ¿A qué precio?\n\nLucía',
      ],
      [
        'us',
        210,
        'Hola, {given}:\n\n¡Enhorabuena a tu hermana! Cuarenta es justo una hornada. Pregunto en el taller y te llamo el {day:2} con fecha y precio.\n\n{agent}',
      ],
      ['lucia', 33, 'Perfecto. Mejor por la tarde, que por la mañana tengo clase.'],
    ],
    { subject: 'Cuarenta tazas para una boda' },
  );
  call({
    id: 'wedding-price',
    agent: NURIA,
    atMs: at(97, '17:10'),
    minutes: 12,
    direction: 'outbound',
    subject: 'Precio y fecha de las cuarenta tazas',
    text: 'La llamo como quedamos. Cuarenta tazas verdes a 13 cada una, listas en tres semanas. Le parece bien; quiere una etiqueta con los nombres «Elena y Mateo». Le mando una prueba el {day:4}.',
    outcome: 'callback-promised',
  });
  talk(
    'wedding-label',
    'email',
    NURIA,
    at(93, '12:30'),
    [
      [
        'us',
        0,
        'Hola, {given}: te adjunto la prueba de la etiqueta. Si te gusta, arrancamos la hornada el {day:3}.\n\n{agent}',
      ],
      ['lucia', 87, '¡Preciosa! Solo un detalle: Mateo va con una sola t, en la prueba pone «Matteo».'],
      ['us', 19, 'Uy, corregido. Nueva prueba adjunta.'],
      ['lucia', 6, 'Ahora sí. Adelante.'],
    ],
    {
      subject: 'Prueba de la etiqueta',
      attachments: {
        0: [{ name: 'etiqueta-1.pdf', contentType: 'application/pdf', bytes: 48_210 }],
        2: [{ name: 'etiqueta-2.pdf', contentType: 'application/pdf', bytes: 48_377 }],
      },
    },
  );
  order('CL-20104', '40 tazas de barro verdes, etiquetadas', 520, [
    ['placed', 'Pedido CL-20104: 40 tazas de barro verdes con etiqueta.', 92, '10:02'],
    ['shipped', 'Tu pedido CL-20104 ha salido del taller.', 71, '15:40'],
    ['delivered', 'Pedido CL-20104 entregado.', 70, '12:25'],
  ]);
  talk(
    'wedding-photo',
    'whatsapp',
    NURIA,
    at(41, '13:45'),
    [
      ['lucia', 0, '¡Mira qué mesa! 😍 A todo el mundo le han encantado.'],
      ['us', 75, '¡Qué bonita! ¿Nos dejas ponerla en la tienda? Sin caras, claro.'],
      ['lucia', 9, 'Claro que sí. Mi hermana encantada.'],
    ],
    { attachments: { 0: [{ name: 'mesa.jpg', contentType: 'image/jpeg', bytes: 512_904 }] } },
  );

  // A payment that would not go through, and went through twice.
  talk('payment', 'chat', MARTA, at(33, '19:12'), [
    ['lucia', 0, 'No me deja pagar el café, se queda la rueda girando. Lo he intentado dos veces.'],
    [
      'us',
      3,
      'Hola, {given}. El banco va lento esta tarde. Espera cinco minutos y prueba otra vez; no veo ningún cargo.',
    ],
    ['lucia', 8, 'Ahora sí ha entrado.'],
  ]);
  order('CL-20105', 'café Brasa de la casa, 1 kg', 27, [
    ['placed', 'Pedido CL-20105: café Brasa de la casa, 1 kg.', 33, '19:24'],
    ['shipped', 'Tu pedido CL-20105 ha salido del taller.', 32, '16:58'],
    ['delivered', 'Pedido CL-20105 entregado.', 30, '11:33'],
  ]);
  tell({
    id: 'casa-01-double',
    channel: 'web',
    kind: 'case',
    atMs: at(21, '22:17'),
    subject: 'Dos cargos por el pedido CL-20105',
    text: 'En el extracto me aparecen dos cargos de 27 del mismo día, y solo hice un pedido. ¿Podéis devolver uno?',
  });
  talk(
    'double',
    'email',
    MARTA,
    at(20, '09:20'),
    [
      [
        'us',
        0,
        'Hola, {given}: es verdad, uno de los dos intentos que fallaron llegó a cobrarse. Devuelto ahora mismo; lo verás en tu cuenta el {day:3}.\n\n{agent}',
      ],
      ['lucia', 4500, 'Visto, ya está. Gracias por no hacerme dar vueltas.'],
    ],
    { subject: 'Dos cargos por el pedido CL-20105' },
  );
  visit('workshop', 14, '11:00', 'Viene con su madre al taller de cata. Se llevan Ceniza y un gotero de cerámica.');

  // Open today: a present that does not arrive.
  order('CL-20106', 'manta de lana Páramo', 96, [
    ['placed', 'Pedido CL-20106: manta de lana Páramo, envuelta para regalo.', 6, '20:41'],
    ['shipped', 'Tu pedido CL-20106 ha salido del taller.', 5, '17:20'],
  ]);
  talk('late-throw', 'whatsapp', NURIA, at(2, '10:14'), [
    [
      'lucia',
      0,
      'Hola! La manta CL-20106 tenía que llegar ayer. Es para el cumple de mi madre, que es el {day:3}. ¿Sabéis algo?',
    ],
    [
      'us',
      21,
      'Hola, {given}. El seguimiento dice que está en reparto desde ayer. Pregunto al transportista y te digo algo hoy.',
    ],
    ['us', 260, 'Me confirman que la llevan el {day:1} por la mañana.'],
    ['lucia', 4, 'Vale, espero en casa.'],
  ]);
  call({
    id: 'late-throw',
    agent: NURIA,
    atMs: at(1, '14:32'),
    minutes: 5,
    direction: 'inbound',
    subject: 'La manta no ha llegado',
    text: 'Ha esperado toda la mañana y no ha pasado nadie. El transportista no contesta. Le prometo una respuesta antes del {day:1} a las seis, y si no aparece le damos una de la tienda.',
    outcome: 'callback-promised',
  });
  tell({
    id: 'casa-01-late-throw-5',
    channel: 'whatsapp',
    kind: 'message',
    atMs: nowMs - 50 * MINUTE,
    threadId: 'casa-01-late-throw',
    text: 'Hola, ¿se sabe algo de la manta? Si hace falta paso yo por la tienda esta tarde y me llevo otra.',
  });
  return told;
};
