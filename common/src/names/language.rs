//! Language codes. Containers hold three letters (ISO 639-2); files may use two (ISO 639-1) or longer tags (BCP 47).

/// Two letters and three letters. If ISO 639-2 has two codes, the second one is the older, which Matroska uses.
const CODES: &str = "aa aar;ab abk;ae ave;af afr;ak aka;am amh;an arg;ar ara;as asm;av ava;ay aym;az aze;ba bak;be bel;\
    bg bul;bh bih;bi bis;bm bam;bn ben;bo bod tib;br bre;bs bos;ca cat;ce che;ch cha;co cos;cr cre;cs ces cze;cu chu;\
    cv chv;cy cym wel;da dan;de deu ger;dv div;dz dzo;ee ewe;el ell gre;en eng;eo epo;es spa;et est;eu eus baq;\
    fa fas per;ff ful;fi fin;fj fij;fo fao;fr fra fre;fy fry;ga gle;gd gla;gl glg;gn grn;gu guj;gv glv;ha hau;he heb;\
    hi hin;ho hmo;hr hrv;ht hat;hu hun;hy hye arm;hz her;ia ina;id ind;ie ile;ig ibo;ii iii;ik ipk;io ido;is isl ice;\
    it ita;iu iku;ja jpn;jv jav;ka kat geo;kg kon;ki kik;kj kua;kk kaz;kl kal;km khm;kn kan;ko kor;kr kau;ks kas;ku kur;\
    kv kom;kw cor;ky kir;la lat;lb ltz;lg lug;li lim;ln lin;lo lao;lt lit;lu lub;lv lav;mg mlg;mh mah;mi mri mao;\
    mk mkd mac;ml mal;mn mon;mr mar;ms msa may;mt mlt;my mya bur;na nau;nb nob;nd nde;ne nep;ng ndo;nl nld dut;nn nno;\
    no nor;nr nbl;nv nav;ny nya;oc oci;oj oji;om orm;or ori;os oss;pa pan;pi pli;pl pol;ps pus;pt por;qu que;rm roh;\
    rn run;ro ron rum;ru rus;rw kin;sa san;sc srd;sd snd;se sme;sg sag;si sin;sk slk slo;sl slv;sm smo;sn sna;so som;\
    sq sqi alb;sr srp;ss ssw;st sot;su sun;sv swe;sw swa;ta tam;te tel;tg tgk;th tha;ti tir;tk tuk;tl tgl;tn tsn;to ton;\
    tr tur;ts tso;tt tat;tw twi;ty tah;ug uig;uk ukr;ur urd;uz uzb;ve ven;vi vie;vo vol;wa wln;wo wol;xh xho;yi yid;\
    yo yor;za zha;zh zho chi;zu zul";

/// The codes of a language, the one of two letters first. `None` if the code is not known.
pub fn codes(code: &str) -> Option<impl Iterator<Item = &'static str>> {
    let mut entries = CODES.split(';');
    let entry = entries.find(|entry| {
        let mut codes = entry.split(' ');
        codes.any(|known| known.eq_ignore_ascii_case(code))
    });
    entry.map(|entry| entry.split(' '))
}

/// Whether a language is, apart from its region and script, a code of ISO 639 that every container can hold.
pub fn is_code(language: &str) -> bool {
    let primary = language.split(['-', '_']).next().unwrap_or_default();
    CODES
        .split([';', ' '])
        .any(|code| code == primary && !code.is_empty())
}

/// The tag of a language as BCP 47 has it, for players: two letters where there are some.
pub fn bcp47(language: &str) -> String {
    let tag = language.replace('_', "-");
    let (primary, rest) = match tag.split_once('-') {
        Some((primary, rest)) => (primary, Some(rest)),
        None => (tag.as_str(), None),
    };
    let short = codes(primary).and_then(|mut codes| codes.next());
    let primary = short.map_or_else(|| primary.to_lowercase(), str::to_owned);
    match rest {
        Some(rest) => format!("{primary}-{rest}"),
        None => primary,
    }
}

/// The same as names of files have it. `None` for a text that is no code.
pub fn short(language: &str) -> Option<String> {
    let tag = bcp47(language);
    let mut parts = tag.split('-');
    let primary = parts.next()?;
    let is_code = matches!(primary.len(), 2 | 3)
        && primary.chars().all(|letter| letter.is_ascii_alphabetic());
    let is_word = |part: &str| {
        (1..=8).contains(&part.len()) && part.chars().all(|letter| letter.is_ascii_alphanumeric())
    };
    // The longest tag in use has five parts.
    let is_short = tag.split('-').count() <= 5;
    (is_code && is_short && parts.all(is_word)).then_some(tag)
}

/// Whether two codes mean the same language, by whatever standard.
pub fn is_same(one: &str, other: &str) -> bool {
    let normal = |tag: &str| {
        let short = codes(tag).and_then(|mut codes| codes.next());
        short.map_or_else(|| tag.to_lowercase(), str::to_owned)
    };
    normal(one) == normal(other)
}

/// Whether a track's language is one that a person asks for. `pt` stands for `pt-BR` too; `pt-BR` only for itself.
pub fn matches(wanted: &str, spoken: &str) -> bool {
    let split = |tag: &str| -> (String, String) {
        let tag = tag.replace('_', "-").to_lowercase();
        let (primary, rest) = tag.split_once('-').unwrap_or((&tag, ""));
        (primary.to_owned(), rest.to_owned())
    };
    let ((wanted, subtags), (spoken, spoken_subtags)) = (split(wanted), split(spoken));
    let begins = || {
        let rest = spoken_subtags.strip_prefix(&subtags);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    is_same(&wanted, &spoken) && (subtags.is_empty() || begins())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_one_language_are_the_same() {
        assert!(is_same("de", "ger") && is_same("deu", "GER") && is_same("qaa", "QAA"));
        assert!(!is_same("pt-BR", "por") && !is_same("en", "fr"));
        assert!(
            matches("pt", "por-BR") && matches("por", "pt_BR") && matches("zh-hant", "zh-Hant-TW")
        );
        assert!(!matches("pt-BR", "por") && !matches("zh-Han", "zh-Hant"));
        assert_eq!(CODES.split(';').count(), 184);
        assert_eq!(bcp47("ger"), "de");
        assert_eq!(bcp47("por-BR"), "pt-BR");
        assert_eq!(bcp47("qaa"), "qaa");
    }

    #[test]
    fn names_of_files_have_the_shortest_code() {
        for (tag, shortest) in [
            ("ger", Some("de")),
            ("eng", Some("en")),
            ("pt_BR", Some("pt-BR")),
            ("chi-Hant", Some("zh-Hant")),
            ("QAA", Some("qaa")),
            ("english", None),
            ("en-../x", None),
            ("", None),
        ] {
            assert_eq!(short(tag).as_deref(), shortest, "{tag}");
        }
    }

    #[test]
    fn a_language_stands_for_its_regions_and_scripts() {
        for (spoken, wanted) in [
            ("por", "pt"),
            ("pt-BR", "por"),
            ("por-BR", "pt-br"),
            ("pt_BR", "pt"),
            ("ger", "deu"),
            ("de", "ger"),
            ("zh-Hant-TW", "chi-hant"),
            ("QAA", "qaa"),
        ] {
            assert!(matches(wanted, spoken), "{spoken} is {wanted}");
        }
        for (spoken, wanted) in [
            ("pt", "pt-br"),
            ("pt-PT", "pt-br"),
            ("eng", "en-us"),
            ("zh-TW", "zh-hant"),
            ("eng", "und"),
        ] {
            assert!(!matches(wanted, spoken), "{spoken} is not {wanted}");
        }
    }

    #[test]
    fn codes_are_of_two_and_three_letters() {
        for entry in CODES.split(';') {
            let lengths: Vec<usize> = entry.split(' ').map(str::len).collect();
            assert!(lengths == [2, 3] || lengths == [2, 3, 3], "{entry}");
        }
    }
}
